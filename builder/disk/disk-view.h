/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finished image, looked into and changed without libguestfs: a disk's FAT by
 * mtools(1), an ISO's own file system by xorriso(1) and the FAT within it by mtools
 * again. What is where, disk-layout.h says.
 */
#pragma once

#include "builder/disk/media.h"

enum disk_view_kind {
	VIEW_FOREIGN, /* no medium of ours */
	VIEW_DISK,
	VIEW_ISO,
};

struct disk_view {
	struct media image;
	enum disk_view_kind kind;
	char *raw;     /* a path of its raw bytes, valid for children too */
	uint64_t fat;  /* where the FAT begins that holds host.cfg or rack.cfg, bytes */
	char **paths;  /* files of the tree, "rackstrap/a/vmlinuz"; sorted */
	char **config; /* files of the FAT that holds the configuration; a disk's is the
			  * tree's own */
	bool has_dir;  /* whether that FAT has the folder of these already */
};

/* Opens and looks what it is; `path` must outlive it. */
int disk_view_open(struct disk_view *ret, const char *path, struct err *e) _must_check_;
void disk_view_done(struct disk_view *m);
#define _cleanup_disk_view_ _cleanup_(disk_view_done)

/*
 * A file's text: of the tree, or with host.cfg and rack.cfg of the FAT that has them. 1,
 * 0 when there is none, -1. *ret is owned.
 */
int disk_view_read(const struct disk_view *m, const char *path, char **ret,
		   size_t *ret_len, struct err *e) _must_check_;

/* Puts the file `from` into the FAT of the raw image `raw`, or with NULL removes what is
 * there. `path` is host.cfg's or rack.cfg's. */
int disk_view_put(const struct disk_view *m, const char *raw, const char *path,
		  const char *from, struct err *e) _must_check_;
