/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides by a file's first bytes, never by its name, whether it holds a disk. Almost any
 * file can be taken for a raw disk image, and writing the wrong one destroys what was on
 * the disk.
 */
#pragma once

#include "builder/disk/ptable.h"

#define CONTENT_HEAD (80 * 1024) /* bytes that disk_content_detect() wants to see */

enum content_kind {
	CONTENT_DISK, /* has a partition table, a boot sector or El Torito's record */
	CONTENT_BARE, /* a file system without these, zeros, or nothing that is known */
	CONTENT_ELSE, /* an archive, a text, a kernel, an image in a format of its own */
};

struct disk_content {
	enum content_kind kind;
	const char *what;   /* "a zip archive"; of CONTENT_DISK NULL */
	const char *advice; /* "unpack it first", or NULL */
	unsigned sector;    /* of a FAT or NTFS without a partition table: the size of
			     * its sectors, bytes; else 0 */
	uint64_t iso;       /* size of the ISO 9660 file system, bytes; 0: none */
};

/* Looks at the first `len` bytes of a file whose partition table is `t`. */
void disk_content_detect(struct disk_content *ret, const void *head, size_t len,
			 const struct ptable *t);
