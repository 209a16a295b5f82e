/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image types: what a recipe's `images` may name, one file each (image-NAME.c), one row
 * each in image_types. Every type starts from the same three parts (kernel, initrd and
 * root.squashfs) and puts its outputs into the folder that is being built.
 */
#pragma once

#include "builder/base/base.h"
#include "builder/root/index.h"

/* What an image type makes its outputs from. */
struct image_parts {
	const struct recipe *r;
	int dirfd;                          /* folder of the three parts */
	const char *kernel, *initrd, *root; /* names in dirfd */
	const char *root_sha256;
	const struct index *base; /* with the text of what media_want() wants */
	const char *manifest;     /* manifest.json of an image that is just the parts */
	int outfd;          /* the outputs' folder, on the same file system as dirfd */
	const char *outdir; /* its path, absolute */
};

struct image_type {
	const char *name;
	const char *what; /* one line for the man page's test and --help */

	bool medium; /* the recipe's group media says more about it */
	const struct base_tool *const *tools; /* lists of programs it needs, or NULL */

	/* Makes the outputs in the outputs' folder and adds their names to *outputs. */
	int (*write)(const struct image_parts *parts, char ***outputs, struct err *e);
};

extern const struct image_type image_pxe, image_disk, image_iso;
extern const struct image_type *const image_types[]; /* NULL-terminated */

const struct image_type *image_type_find(const char *name);
const char *image_type_names(void); /* "pxe, disk" */
