/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the entries of a squashfs image that this program has had made: names and link
 * targets as bytes, whatever they are. squashfs.c is the only file that includes
 * libsquashfs.
 */
#pragma once

#include "builder/common/archive.h"

struct squashfs_node {
	struct entry entry; /* no ENTRY_HARDLINK: a file that has several names comes with
			       each of them; path as "usr/bin/x", the top is "" */
	uint32_t inode;     /* two names of one file have the same */
	uint32_t links;     /* names of the file, as the image says; of a folder, another
			       count */
	const char *xattr;  /* an extended attribute other than security.capability, or
			       NULL */
};

/* Is called with each entry. Returns 0, or -1 with an error to end the walk. The node and
 * its strings are valid until it returns. */
typedef int squashfs_visit(void *data, const struct squashfs_node *node, struct err *e);

/* Reads the image `path`: a folder before what is in it. */
int squashfs_walk(const char *path, squashfs_visit *visit, void *data,
		  struct err *e) _must_check_;
