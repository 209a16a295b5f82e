/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File formats of disk images: the one list for recipes (`formats`), --format, the
 * outputs of a build and `rackstrap customize`. Formats that are only read are in
 * builder/disk/disk-image.c.
 */
#pragma once

#include "builder/common/tool.h"

struct disk_format {
	const char *name;        /* in recipes and options */
	const char *suffix;      /* of the file's name, "img" */
	const char *file_format; /* disk_image_open()'s name of it */
	const struct tool *tool; /* the program that writes it, or NULL */

	/* Writes the raw image `from` in this format to the new file `to`. NULL: the raw
	 * image is the output. */
	int (*write)(const char *from, const char *to, struct err *e);
};

/* Raw first; ended by an entry without name. */
extern const struct disk_format disk_formats[];

/* The programs of all formats, ended by an entry without program. */
extern const struct tool disk_format_tools[];

/* Returns the format with this name, or NULL. */
const struct disk_format *disk_format_find(const char *name);

/* Returns the format of a file that disk_image_open() says is in `file_format`, or NULL.
 */
const struct disk_format *disk_format_of_file(const char *file_format);

/* Returns the name of the i-th format, or NULL behind the last. */
const char *disk_format_name(size_t i);
