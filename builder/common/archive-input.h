/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an archive, decompressed: from a descriptor or from the entry data of an
 * outer reader. For archive.c.
 */
#pragma once

#include "builder/common/archive.h"
#include "builder/common/unpack.h"

struct archive_input {
	const char *name;
	int fd;                   /* -1 with `outer` */
	struct archive_in *outer; /* or NULL */
	struct digest *tap;
	bool seekable;
	char *buf;        /* bytes of the file */
	const char *left; /* those that were read and not used */
	size_t n_left;
	const struct unpack_type *type; /* NULL: it is not compressed */
	void *unpack;
	struct unpack_source source;
	char *data;       /* decompressed bytes */
	unsigned windows; /* decompressors with a window, with those of outer readers */
};

/* Opens what `from` names, of which it keeps no pointer but those of the members.
 * `windows` are those of the outer reader. Call archive_input_done() after an error,
 * too. */
int archive_input_open(struct archive_input *ret, const struct archive_source *from,
		       unsigned windows, struct err *e) _must_check_;
void archive_input_done(struct archive_input *in);

/* Sets *ret to the next bytes, valid until the next call. Returns their number, 0 at the
 * end, or -1. */
ssize_t archive_input_next(struct archive_input *in, const void **ret,
			   struct err *e) _must_check_;
/* Reads the next bytes into `buf`. Returns as archive_input_next(). */
ssize_t archive_input_read(struct archive_input *in, void *buf, size_t len,
			   struct err *e) _must_check_;

/* Skips by seeking, which makes reading the headers of a large tar fast. Returns how much
 * it skipped: 0 when that is not possible, as with a tap, which must see every byte. */
uint64_t archive_input_skip(struct archive_input *in, uint64_t len);

/* Reads the file to its end, for the tap. */
int archive_input_drain(struct archive_input *in, struct err *e) _must_check_;
