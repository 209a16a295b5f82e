/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression as a stage of its own. What comes out of it can be counted before it is
 * parsed, and its memory is bounded: the window of xz, lzma and zstd, which a file asks
 * for, is limited by the caller; the other decoders need less than 16 MiB.
 *
 * A file is decompressed once. A compressed file in a compressed file is the caller's
 * concern.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

#define UNPACK_HEAD 16 /* bytes that unpack_detect() wants to see */

/* The source of the compressed bytes. */
struct unpack_source {
	/* Sets *ret to the next bytes, which stay valid until the next call. Returns
	 * their number, 0 at the end, or -1. */
	ssize_t (*read)(void *data, const void **ret, struct err *e);
	void *data;
	const char *name; /* for messages */
};

/* A kind of compression. */
struct unpack_type {
	const char *name; /* "zstd" */
	bool has_window;  /* its memory depends on the file */
	/* `window` is the largest that is accepted, in bytes; *ret is for the other two.
	 * `from` must outlive it. */
	int (*open)(void **ret, const struct unpack_source *from, uint64_t window,
		    struct err *e);
	/* Returns the number of bytes, 0 at the end, or -1. */
	ssize_t (*read)(void *state, void *buf, size_t len, struct err *e);
	void (*close)(void *state);
};

/* Returns how a file that begins with these bytes is compressed, or NULL. */
const struct unpack_type *unpack_detect(const void *head, size_t len);

extern const struct unpack_type unpack_xz;    /* unpack-xz.c */
extern const struct unpack_type unpack_lzma;  /* unpack-xz.c */
extern const struct unpack_type unpack_zstd;  /* unpack-zstd.c */
extern const struct unpack_type unpack_gzip;  /* archive.c */
extern const struct unpack_type unpack_bzip2; /* archive.c */
extern const struct unpack_type unpack_lz4;   /* archive.c */
