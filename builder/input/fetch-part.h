/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A download that grows in a file: its bytes, their digests, and the note beside it that
 * lets a later try resume it: <path>.meta with URL and validator, a line each, and when
 * the download was given up "have BYTES SHA256".
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

struct part {
	int dirfd, fd;
	const char *path, *url;
	uint64_t have;    /* bytes, all of them digested */
	bool want_sha512; /* set before part_open(); SHA-512 doubles the time */
	struct digest *sha256, *sha512;
	char head[64]; /* its first bytes, padded with zeros */
};

/* Opens or creates the file. Reads nothing yet. All of these functions return 0 or
 * -errno. */
int part_open(struct part *p, int dirfd, const char *path, const char *url) _must_check_;
void part_close(struct part *p); /* closes the file and keeps digests and length */
void part_done(struct part *p);

/* Returns the validator that the server must still give for the existing bytes to be
 * usable, or NULL when they are not usable. Owned by the caller. */
char *part_validator(const struct part *p);
/* Adds to the note how many bytes there are and their digest. */
void part_note_have(struct part *p);
/* Returns true when the note has length and digest of the bytes that part_catch_up() has
 * read: they are those of an earlier process, and undamaged. */
bool part_is_noted(const struct part *p);
/* Writes the note with this validator; NULL removes the note. Errors are ignored. */
void part_note(const struct part *p, const char *validator);

int part_start_over(struct part *p) _must_check_; /* empties the file */
int part_catch_up(struct part *p) _must_check_;   /* digests the bytes that are there */
int part_add(struct part *p, const void *data, size_t len) _must_check_;

/* Finishes the digests; part_start_over() and part_catch_up() begin new ones. `sha512`
 * becomes "" when it was not wanted. */
void part_digests(struct part *p, char sha256[static DIGEST_HEX_MAX],
		  char sha512[static DIGEST_HEX_MAX]);
/* Computes any digest by reading the file again. Returns 0 or -errno. */
int part_digest(struct part *p, enum digest_type type,
		char out[static DIGEST_HEX_MAX]) _must_check_;

bool part_is_page(const struct part *p); /* true: it begins like HTML or XML */
/* Returns its first line, as far as it is text, for a message. Owned by the caller. */
char *part_first_line(const struct part *p);
void part_remove(struct part *p); /* removes the file and its note */
