/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads, several at once. fetch.c is the only file that includes libcurl.
 *
 * A download grows in a file that outlives a failure: the next try, of this run or of
 * the next, goes on from there if the server says it is still the same (RFC 9110, Range
 * and If-Range with a strong ETag or a Last-Modified; noted in <path>.meta). What broke
 * off, was busy or was unreachable is tried again a few times, with growing pauses.
 * http, https and file only; proxies from the environment.
 */
#pragma once

#include "digest.h"
#include "lib/err.h"

struct fetch_file {
	const char *name;  /* for progress */
	const char *url;   /* where from */
	const char *shown; /* what messages call it: the URL before mirrors; NULL: url */
	int dirfd;
	const char *path; /* in dirfd: where it grows */

	/* What it must turn out to be, as far as known. */
	uint64_t size;      /* 0: not known */
	const char *digest; /* NULL: not known */
	enum digest_type digest_type;
	const char *expected_by; /* who says so: "recipe.cfg:12" */

	/* Filled in on success. */
	uint64_t got;
	char sha256[DIGEST_HEX_MAX], sha512[DIGEST_HEX_MAX];
};

struct fetch_options {
	unsigned tries;    /* 0: 4 */
	unsigned pause_ms; /* before the second try, doubled for each more; 0: 500 */
};

/*
 * 0 when every file is there whole with the digest it must have. -1 when one is not:
 * the others were still fetched, and the message has one line for each that failed. A
 * file whose digest is wrong is removed.
 */
int fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
	      struct err *e) _must_check_;
