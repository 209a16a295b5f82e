/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs by URL: out of the cache, or fetched into it. Every one of them has been read
 * through and has the digests that it must have, or it is not there.
 */
#pragma once

#include "builder/input/cache.h"

struct want {
	const char *name; /* for progress */
	/* What everybody calls it, whatever the mirrors: a URL, or for packages of an
	 * archive that each machine finds elsewhere "package:ORIGIN/PATH". */
	const char *url;
	const char *source; /* where it is found without mirrors; NULL: url */
	const char *where; /* who wants it, for messages: "recipe.cfg:12: artifact 'x'" */

	/* What it must be. */
	enum digest_type type;
	const char *digest; /* NULL, which only obtain_anew takes: not known; it becomes
			     * `came` */
	uint64_t size;      /* 0: not known */
	const char *by;     /* who says so: "recipe.cfg:12" */
	enum digest_type weak_type;
	const char *weak; /* a SHA-1 or MD5 that must hold as well, or NULL */
	const char *weak_by;

	/* Filled in. */
	struct blob blob; /* fd -1 with obtain_options.closed */
	bool fetched;     /* it was not in the cache */
	char *from;       /* where redirects led, or NULL */
	char came[DIGEST_HEX_MAX];
};

struct obtain_options {
	char *const *mirrors;
	bool offline;
	bool closed; /* leave no descriptors open: there may be hundreds */
	bool quiet;  /* no line for each file */
};

/* The want's blob.fd must be -1 to begin with. On an error, files that came are kept in
 * the cache all the same. */
int obtain(struct want *v, size_t n, const struct cache *c,
	   const struct obtain_options *o, struct err *e) _must_check_;

/* Fetches every one, whatever the cache has, and opens it as obtain() does. */
int obtain_anew(struct want *v, size_t n, const struct cache *c,
		const struct obtain_options *o, struct err *e) _must_check_;

/* Closes and frees what was filled in. */
void wants_done(struct want *v, size_t n);
