/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an archive that is read, before libarchive gets them. For archive.c. */
#pragma once

#include "builder/common/archive-zip.h"

#define ARCHIVE_ACL "SCHILY.acl."

struct archive_in {
	struct archive *a; /* reads the format; NULL for a single file */
	const char *name;
	struct archive_input input;
	const char *rest; /* bytes that were read, and ... */
	size_t n_rest;    /* ... were not given to the format's reader */
	char tail[sizeof(ARCHIVE_ACL) - 2]; /* the last bytes before them, in a header */
	struct archive_zip zip;             /* is read in place of the input */
	size_t header_max;
	struct archive_limit *limit, own;
	uint64_t stream, sizes; /* bytes for the format's reader; sum of members' sizes */
	uint64_t counted;       /* of them, in `limit` */
	bool begun;             /* the first bytes were read */
	bool in_header;
	size_t header;  /* bytes read for the header */
	struct err why; /* the input's error: libarchive learns only that it failed */
	bool failed;
	bool has_entry;
	struct entry entry;
	uint64_t left; /* bytes of it that were not read, and ... */
	bool in_hole;  /* ... are zeros that libarchive does not give */
	char *path;    /* the entry's path, for messages */
};

/* Counts what this reader has unpacked. */
int archive_in_count(struct archive_in *a, struct err *e) _must_check_;

/* Refuses a header of more bytes than it may have. */
int archive_in_check_header(const struct archive_in *a, struct err *e) _must_check_;

/* Reads bytes of the unpacked archive if there are none. Returns how many there are. */
ssize_t archive_in_fill(struct archive_in *a, struct err *e) _must_check_;

/* Returns the next bytes of the unpacked archive: few, so that not much of a header is
 * read with the data before it. */
ssize_t archive_in_bytes(struct archive_in *a, const void **ret,
			 struct err *e) _must_check_;

/* Copies a zip that comes as a stream, with the limits of a stream. */
int archive_in_copy_zip(struct archive_in *a, struct err *e) _must_check_;

/* Decompresses what is behind the archive's end, to find out whether the file was cut off
 * there: the checksums of xz and zstd come last. */
int archive_in_finish(struct archive_in *a, struct err *e) _must_check_;

/* Reads the data of a single file. */
ssize_t archive_in_read_single(struct archive_in *a, void *buf, size_t len,
			       struct err *e) _must_check_;
