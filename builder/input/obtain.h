/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs by URL, from the cache or fetched into it. Each obtained input has been digested
 * and has the digests that it must have.
 */
#pragma once

#include "builder/input/cache.h"
#include "lib/str.h"

struct want {
	const char *name; /* for progress */
	/* The input's name, independent of mirrors: a URL, or for packages of an archive
	 * that each machine finds elsewhere "package:ORIGIN/PATH". */
	const char *url;
	const char *source; /* its URL without mirrors, with a query that `url` must
			     * not have; NULL: url */
	const char *where;  /* its place in the recipe, for messages: "recipe.cfg:12:
			       artifact 'x'" */

	/* Known facts about the input. */
	enum digest_type type;
	const char *digest; /* NULL: not known, allowed with obtain_anew() only, which
			       sets `came` */
	uint64_t size;      /* 0: not known */
	uint64_t max_size;  /* it is refused if it has more bytes; 0: FETCH_MAX */
	const char
		*raise; /* what raises that: "key 'max_size' of the artifact", or NULL */
	const char *by; /* source of these values: "recipe.cfg:12" */
	enum digest_type weak_type;
	const char *weak; /* a SHA-1 or MD5 that must match as well, or NULL */
	const char *weak_by;

	/* Filled in. */
	struct blob blob; /* fd -1 with obtain_options.closed */
	bool fetched;     /* true: it was not in the cache */
	char *from;       /* where redirects ended, or NULL */
	char came[DIGEST_HEX_MAX];
};

struct obtain_options {
	char *const *mirrors;
	const struct netrc *netrc; /* NULL: none */
	bool offline;
	bool closed; /* leave no descriptors open: there may be hundreds */
	bool quiet;  /* no log line for each file */
};

/* Obtains every want, whose blob.fd must be -1. After an error, the files that were
 * fetched are kept in the cache. */
int obtain(struct want *v, size_t n, const struct cache *c,
	   const struct obtain_options *o, struct err *e) _must_check_;

/* Sets the error that `n` wants, of which `first` is the first, would have to be fetched.
 * Always returns -1. */
int obtain_refuse_offline(const struct want *first, size_t n, struct err *e);

/* Fetches every want, whatever the cache has, and opens it as obtain() does. */
int obtain_anew(struct want *v, size_t n, const struct cache *c,
		const struct obtain_options *o, struct err *e) _must_check_;

/* Wants with the texts that they point to. Zero-initialise; wants_done() closes and frees
 * what was filled in, too. */
struct wants {
	struct want *v;
	size_t n;
	struct strv_builder texts;
};

/* Takes over `text`, which lives as long as `w`. Returns it. */
const char *wants_keep(struct wants *w, char *text);
void wants_done(struct wants *w);
#define _cleanup_wants_ _cleanup_(wants_done)
