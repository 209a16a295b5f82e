/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a FAT file system within an image file with mkfs.vfat(8) and mtools(1), without a
 * mount or a loop device. The same files in the same order give the same bytes.
 */
#pragma once

#include "builder/common/fat-check.h"

struct fat {
	const char *image;     /* path of the file */
	uint64_t offset, size; /* bytes, of the file system in it; whole sectors */
	uint32_t sector;       /* bytes */
	unsigned bits;         /* 16 or 32 */
	const char *label;     /* at most 11 upper-case characters */
	uint32_t id;           /* volume id */
	uint64_t epoch;        /* for the times of folders and the label */
};

extern const struct tool fat_tools[]; /* NULL-terminated */

/* Makes the empty file system; the image file exists and is large enough. */
int fat_make(const struct fat *f, struct err *e) _must_check_;

/*
 * Checks what fat_copy() has written: the file system with fsck.fat(8), and the files by
 * reading them back. mtools exits with 0 when the last of its writes fail.
 */
int fat_verify(const struct fat *f, const char *dir, char *const *paths,
	       struct err *e) _must_check_;

/*
 * Copies the files `paths`, relative to the folder `dir` and sorted, to the same paths of
 * the file system in this order, with their times. Makes their folders.
 */
int fat_copy(const struct fat *f, const char *dir, char *const *paths,
	     struct err *e) _must_check_;
