/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a zip, for archive.c. Types, modes and sizes of a zip's members are in its
 * directory, which is at its end (APPNOTE.TXT 4.3.12), so it is read by seeking. One that
 * comes as a stream is copied to a temporary file first.
 */
#pragma once

#include "builder/common/archive-input.h"

struct archive_zip {
	int fd; /* -1: none */
	bool own;
	uint64_t start, at; /* offsets in `fd` of the zip and of the next byte */
	char *buf;
};

/* Checks if an archive that begins with these bytes is a zip. */
bool archive_zip_detect(const void *p, size_t len);

/* Uses the input's own file, from offset `start` on, if its bytes are the zip. Returns
 * false if they must be copied. */
bool archive_zip_use(struct archive_zip *z, const struct archive_input *in,
		     uint64_t start);
/* Creates the copy; archive_zip_copy() appends to it. */
int archive_zip_create(struct archive_zip *z, struct err *e) _must_check_;
int archive_zip_copy(struct archive_zip *z, const void *data, size_t len,
		     const char *name, struct err *e) _must_check_;
void archive_zip_done(struct archive_zip *z);

/* Sets *ret to the next bytes, valid until the next call. Returns their number, or 0 at
 * the end, or -1. */
ssize_t archive_zip_next(struct archive_zip *z, const void **ret, const char *name,
			 struct err *e) _must_check_;
/* Moves to the offset, which is relative as for lseek(2). Returns the new one, or -1. */
int64_t archive_zip_seek(struct archive_zip *z, int64_t offset, int whence);

/* Checks that each member has the same name in the directory and in front of its data.
 * `name` is the archive's, for messages. */
int archive_zip_check_names(const struct archive_zip *z, const char *name,
			    struct err *e) _must_check_;
