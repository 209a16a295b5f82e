/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A FAT file system within an image file, by mkfs.vfat(8) and mtools(1): no mount, no
 * loop device. The same files in the same order give the same bytes.
 */
#pragma once

#include "builder/common/tool.h"

struct fat {
	const char *image;     /* path of the file */
	uint64_t offset, size; /* bytes, of the file system in it; whole sectors */
	uint32_t sector;       /* bytes */
	unsigned bits;         /* 16 or 32 */
	const char *label;     /* at most 11 upper-case characters */
	uint32_t id;           /* volume id */
	uint64_t epoch;        /* times of its own */
};

extern const struct tool fat_tools[]; /* NULL-terminated */

int fat_make(const struct fat *f, struct err *e) _must_check_;

/*
 * Copies files below the folder `dir` to the same paths, in the order of `paths`
 * (relative, sorted), with their times; makes the folders they are in.
 */
int fat_copy(const struct fat *f, const char *dir, char *const *paths,
	     struct err *e) _must_check_;
