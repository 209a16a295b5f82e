/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image written to a disk so that a disk which boots holds the whole image, compared
 * byte by byte:
 *
 * 1. what made the disk bootable before is cleared: its first MiB and its last one or two
 *    (a GPT has a copy of itself at the disk's end, which firmware uses when the first is
 *    gone), flushed, and read back to see that the disk keeps what it is told;
 * 2. everything but those is written, a MiB at a time; where the image is zero the disk
 *    is read first, and left alone if it is zero there already;
 * 3. it is flushed, and all of it read back and compared;
 * 4. what belongs at the disk's end, and last of all the first MiB, are written, flushed
 *    and compared. Until then there is no boot sector and no partition table.
 *
 * When anything fails in 4, the same places are cleared again. The error says what the
 * disk is left with.
 */
#pragma once

#include "lib/err.h"

#define FLASH_CHUNK (1024 * 1024)
#define FLASH_ALIGN 4096 /* of the memory that read and write get: O_DIRECT wants it */

/* Where to. The functions return 0 or -errno, and do all of it or fail. */
struct flash_target {
	const char *name; /* for messages */
	uint64_t size;    /* bytes, a multiple of sector */
	unsigned sector;  /* every offset and length is a multiple of it; at most 4096 */
	void *data;
	int (*write)(void *data, uint64_t at, const void *buf, size_t len);
	int (*read)(void *data, uint64_t at, void *buf, size_t len); /* past any cache */
	int (*flush)(void *data); /* all that was written is on the medium */
};

/* Where from: exactly `size` bytes, once through. */
struct flash_source {
	uint64_t size; /* at most the target's */
	void *data;
	int (*read)(void *data, void *buf, size_t len, struct err *e);
};

struct flash_stats {
	uint64_t written; /* bytes */
	uint64_t zero;    /* bytes that were zero already and were left alone */
};

/* `stop` is asked between two MiB, and may be NULL; true ends it as an error would. */
int flash_run(const struct flash_target *t, const struct flash_source *s,
	      bool (*stop)(void), struct flash_stats *ret, struct err *e) _must_check_;
