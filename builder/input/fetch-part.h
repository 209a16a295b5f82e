/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A download that grows in a file: its bytes, their digests, and the note beside it
 * (<path>.meta: URL and validator, a line each) that lets a later try go on from there.
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

struct part {
	int dirfd, fd;
	const char *path, *url;
	uint64_t have;    /* bytes, all of them digested */
	bool want_sha512; /* said before part_open; it costs as much again */
	struct digest *sha256, *sha512;
	char head[64]; /* its first bytes, zeros behind them */
};

/* Opens or makes the file. Nothing is read yet. 0 or -errno, as for all of these. */
int part_open(struct part *p, int dirfd, const char *path, const char *url) _must_check_;
void part_close(struct part *p); /* the file; what is known about it stays */
void part_done(struct part *p);

/* What the server must still say for the bytes there are to be good; NULL: they are
 * good for nothing. Owned by the caller. */
char *part_validator(const struct part *p);
/* `validator` NULL takes the note away. */
void part_note(const struct part *p, const char *validator);

int part_start_over(struct part *p) _must_check_; /* empties it */
int part_catch_up(struct part *p) _must_check_;   /* reads what is there */
int part_add(struct part *p, const void *data, size_t len) _must_check_;

/* Ends the digests; part_start_over and part_catch_up begin new ones. `sha512` becomes
 * "" when it was not wanted. */
void part_digests(struct part *p, char sha256[static DIGEST_HEX_MAX],
		  char sha512[static DIGEST_HEX_MAX]);
/* Any digest, by reading it all again. 0 or -errno. */
int part_digest(struct part *p, enum digest_type type,
		char out[static DIGEST_HEX_MAX]) _must_check_;

bool part_is_page(const struct part *p); /* begins like HTML or XML */
/* Its first line, as far as it is text, for a message. Owned. */
char *part_first_line(const struct part *p);
void part_remove(struct part *p); /* the file and its note */
