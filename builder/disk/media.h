/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk image as a stream of the disk's bytes: a raw file, one that is compressed (zstd,
 * gzip, xz, bzip2, lz4), or a qcow2. Which it is, the file's first bytes say, not its
 * name.
 */
#pragma once

#include "builder/disk/ptable.h"
#include "lib/err.h"

struct archive_in;

struct media {
	const char *path;   /* not owned */
	const char *format; /* "raw", "zstd", "qcow2", ... */
	uint64_t size;      /* of the disk, bytes */
	struct ptable table;
	int fd;                /* the file; of a qcow2 its bytes, in a temporary */
	struct archive_in *in; /* what is being decompressed */
	bool compressed;
};

/*
 * Of a compressed image every byte is read once here, so that its size is known and a
 * damaged one is told before anything is done with it. A qcow2 is written out into a
 * temporary file below $TMPDIR (/var/tmp) that has no name, with its holes. One that
 * refers to other files, and an image within an image, are refused.
 */
int media_open(struct media *ret, const char *path, struct err *e) _must_check_;
void media_done(struct media *m);
#define _cleanup_media_ _cleanup_(media_done)

/* From the beginning again. */
int media_rewind(struct media *m, struct err *e) _must_check_;

/* The next `len` bytes; it is an error when there are fewer. */
int media_read(struct media *m, void *buf, size_t len, struct err *e) _must_check_;

/* The bytes as a file that one can seek in: ours, or a temporary that is made now. The
 * descriptor stays the media's. -1 on an error. */
int media_seekable(struct media *m, struct err *e) _must_check_;
