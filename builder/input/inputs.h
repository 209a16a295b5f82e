/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recipe's artifacts as files, from the cache or fetched into it. Each has been
 * digested and has the digest that the recipe or its lock says.
 */
#pragma once

#include "builder/common/mistakes.h"
#include "builder/input/cache.h"
#include "builder/input/lock.h"
#include "builder/recipe/recipe.h"

struct input {
	const struct recipe_artifact *artifact;
	struct blob blob; /* fd -1: it is opened when it is read, because a recipe may
			     have more of them than a process may have descriptors */
	const struct cache *cache; /* which has the blob; must outlive the input */
};

struct inputs {
	struct input *v; /* in the recipe's order */
	size_t n;
	size_t fetched; /* how many were not in the cache */
	uint64_t bytes; /* bytes of all */
};

struct inputs_options {
	char *const *mirrors;
	const struct netrc *netrc; /* NULL: none */
	bool offline;
};

/* Checks every artifact, and fetches those that the cache does not have. Returns 0, or -1
 * when one is missing or has another digest than the recipe or `lock` says. */
int inputs_get(struct inputs *ret, const struct recipe *r, const struct lock *lock,
	       const struct cache *c, const struct inputs_options *o,
	       struct err *e) _must_check_;
/*
 * Checks the artifacts that the cache has (`c` may be NULL), without fetching anything;
 * an input that it does not have gets no blob.sha256. With `ret` NULL, none is read, and
 * what the cache has may be damaged. *ret_fetch is the size of the others, as far as the
 * lock has it. Complains about missing and contradictory digests, about programs that
 * fetching needs, and offline about what is missing. Returns 0, or -1 when the cache
 * cannot be read.
 */
int inputs_preview(struct inputs *ret, const struct recipe *r, const struct lock *lock,
		   const struct cache *c, const struct inputs_options *o,
		   uint64_t *ret_fetch, struct mistakes *m, struct err *e) _must_check_;
void inputs_done(struct inputs *i);
#define _cleanup_inputs_ _cleanup_(inputs_done)

/* Opens the input's file at its beginning. Returns a descriptor that the caller closes,
 * or -1. */
int input_open(const struct input *in, struct err *e) _must_check_;

/*
 * Fetches every artifact, whatever the cache has, and adds each to `lock`. A digest in
 * the recipe must match. The files are kept in the cache. An artifact that is unchanged
 * since `old` keeps its `when` and `from`. The caller checks the inputs with
 * inputs_check() (builder/root/inputs-check.h).
 */
int inputs_lock(struct inputs *ret, struct lock *lock, const struct lock *old,
		const struct recipe *r, const struct cache *c,
		const struct inputs_options *o, struct err *e) _must_check_;
