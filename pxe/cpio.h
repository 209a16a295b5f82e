/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes "newc" cpio archives as the kernel's initramfs reads them
 * (Documentation/driver-api/early-userspace/buffer-format.rst): owner root, given mtime,
 * one link, inode numbers counted from 1: the same input gives the same bytes.
 * Every archive is padded with zeros to a multiple of 512 bytes: an EFI stub concatenates
 * initrds without padding, and the kernel expects each archive to start 4-aligned.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

#include <sys/types.h>

struct cpio {
	int fd; /* -1: the archive is appended to `buf` */
	struct buf *buf;
	uint32_t ino;
	uint32_t mtime;
	uint64_t off;
};

void cpio_init(struct cpio *c, int fd, uint64_t epoch);
/* Appends to `b`, which must be empty. */
void cpio_init_buf(struct cpio *c, struct buf *b, uint64_t epoch);
/* Returns the bytes of a member before its data, if it begins at a multiple of 4. */
uint64_t cpio_header_len(const char *path);
int cpio_dir(struct cpio *c, const char *path, mode_t mode, struct err *e) _must_check_;
int cpio_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len,
	      struct err *e) _must_check_;
/* Copies `size` bytes (at most 4 GiB - 1) from `from`, which must hold that many. */
int cpio_file(struct cpio *c, const char *path, mode_t mode, int from, uint64_t size,
	      struct err *e) _must_check_;
/* Appends what cpio_file() does, but for the file's bytes. */
int cpio_file_around(struct cpio *c, const char *path, mode_t mode, uint64_t size,
		     struct err *e) _must_check_;
int cpio_end(struct cpio *c, struct err *e) _must_check_;
