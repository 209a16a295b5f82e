/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an image to a disk in such an order that a disk which boots has the whole image,
 * compared byte by byte:
 *
 * 1. The places that made the disk bootable before are cleared, flushed and read back, to
 *    check that the disk stores what is written: its first MiB and its last one or two
 *    (the copy of a GPT is at the disk's end; firmware uses it when the first is gone).
 * 2. Everything else is written, a MiB at a time. Where the image is zero the disk is
 *    read first, and not written if it is zero there already.
 * 3. The disk is flushed, and everything written is read back and compared. Then
 *    flash_source.check() fails if the image has changed.
 * 4. The bytes for the disk's end and then those of the first MiB are written, flushed
 *    and compared. Before this the disk has no boot sector and no partition table.
 *
 * When step 4 fails, the same places are cleared again. The error says in which state the
 * disk is left.
 */
#pragma once

#include "lib/err.h"

#define FLASH_CHUNK (1024 * 1024)
#define FLASH_ALIGN 4096 /* of the buffers for read and write: O_DIRECT requires it */

/* The disk. Its functions transfer all `len` bytes and return 0, or return -errno. */
struct flash_target {
	const char *name; /* for messages */
	uint64_t size;    /* bytes, a multiple of sector */
	unsigned sector;  /* all offsets and lengths are multiples of it; at most 4096 */
	void *data;
	int (*write)(void *data, uint64_t at, const void *buf, size_t len);
	/* reads from the disk, not from a cache */
	int (*read)(void *data, uint64_t at, void *buf, size_t len);
	int (*flush)(void *data); /* returns when all writes are on the medium */
};

/* The image: exactly `size` bytes, read once and in order. */
struct flash_source {
	uint64_t size; /* at most the size of the target */
	void *data;
	int (*read)(void *data, void *buf, size_t len, struct err *e);
	/* Called before step 4, or NULL. Fails when what was read is not the image. */
	int (*check)(void *data, struct err *e);
};

struct flash_stats {
	uint64_t written; /* bytes */
	uint64_t zero;    /* bytes that were not written: they were zero already */
};

/* Writes the image. `stop`, which may be NULL, is called with `stop_data` between two
 * MiB; when it returns true, flash_run() fails as after an error. `ret` may be NULL. */
int flash_run(const struct flash_target *t, const struct flash_source *s,
	      bool (*stop)(void *data), void *stop_data, struct flash_stats *ret,
	      struct err *e) _must_check_;
