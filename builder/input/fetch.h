/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads, several at once. fetch.c is the only file that includes libcurl.
 *
 * A download grows in a file that outlives a failure: the next try, of this run or of
 * the next, goes on from there if the server says it is still the same (RFC 9110, Range
 * and If-Range; noted in <path>.meta). What broke off, was busy or was unreachable is
 * tried again a few times, with growing pauses, or the one that the server asks for.
 * http, https and file only, never from https to less; proxies from the environment.
 */
#pragma once

#include "builder/common/digest.h"
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
	const char *weak;        /* a SHA-1 or MD5 that must hold as well, or NULL */
	enum digest_type weak_type;
	const char *weak_by;
	bool want_sha512; /* even if the digest is none */

	/* Filled in on success. */
	uint64_t got;
	char sha256[DIGEST_HEX_MAX];
	char sha512[DIGEST_HEX_MAX]; /* "" unless wanted, or the digest is one */
	char *from; /* where the redirects ended, without a query; the caller's */
};

struct fetch_options {
	unsigned tries;    /* 0: 4 */
	unsigned pause_ms; /* before the second try, doubled for each more; 0: what
			    * $RACKSTRAP_FETCH_PAUSE says, else 500 */
	unsigned stall_s;  /* of (almost) nothing, and the server is dead; 0: what
			    * $RACKSTRAP_FETCH_STALL says, else 60 */
	bool quiet;        /* no line for each file that came */
};

/*
 * 0 when every file is there whole with the digest it must have. -1 when one is not:
 * the others were still fetched, and the message has one line for each that failed. A
 * file whose digest is wrong is removed.
 *
 * A file that nobody has a digest for is refused when it is a web page, is empty, or came
 * in a way that does not tell its end from a cut.
 */
int fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
	      struct err *e) _must_check_;
