/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and changes files in a finished image without libguestfs: a disk's FAT with
 * mtools(1), an ISO's own file system with xorriso(1) and the FAT within it with mtools.
 * disk-layout.h describes what is where.
 */
#pragma once

#include "builder/disk/disk-image.h"

enum disk_view_kind {
	VIEW_FOREIGN, /* not made by rackstrap */
	VIEW_DISK,
	VIEW_ISO,
};

struct disk_view {
	struct disk_image image;
	enum disk_view_kind kind;
	char *raw;    /* path of its raw bytes, valid in child processes too */
	uint64_t fat; /* byte offset of the FAT that has host.cfg or rack.cfg */
	uint64_t fat_size;
	char **paths;  /* files of the tree, "rackstrap/a/vmlinuz"; sorted */
	char **config; /* files of that FAT; on a disk it has the tree, too */
	bool has_dir;  /* that FAT has the folder "rackstrap" */
};

/* Opens the image as disk_image_open() does, and sets its kind. `path` must stay valid
 * until disk_view_done(). */
int disk_view_open(struct disk_view *ret, const char *path, uint64_t limit,
		   struct err *e) _must_check_;
void disk_view_done(struct disk_view *v);
#define _cleanup_disk_view_ _cleanup_(disk_view_done)

/*
 * Reads a file of the tree, or host.cfg or rack.cfg of the FAT that has them. Returns 1,
 * 0 when there is no such file, or -1. *ret is owned.
 */
int disk_view_read(const struct disk_view *v, const char *path, char **ret,
		   size_t *ret_len, struct err *e) _must_check_;

/* Copies the file `from` to `path`, which is host.cfg's or rack.cfg's, in the FAT of the
 * raw image `raw`. When `from` is NULL, removes the file at `path`, if there is one. */
int disk_view_write(const struct disk_view *v, const char *raw, const char *path,
		    const char *from, struct err *e) _must_check_;
