/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe becomes an image: what `rackstrap build` does once it knows what is wanted. */
#pragma once

#include "builder/input/lock.h"
#include "builder/recipe/recipe.h"

struct build_options {
	const char *out;   /* folder; the image becomes OUT/<recipe's name> */
	const char *cache; /* NULL: the usual place (cache.h) */
	const char *lock;  /* file; NULL: recipe.lock beside the recipe */
	const char *firstboot;
	char *const *mirrors;
	bool offline, refresh;
	bool json; /* the summary on standard output is JSON */
};

int build(const struct recipe *r, const struct build_options *o,
	  struct err *e) _must_check_;

/* "recipe.lock" beside the recipe, or what was asked for. Owned. */
char *build_lock_path(const struct recipe *r, const char *asked);

/* Reads that; without "recipe.lock", nothing is locked, but what was asked for must be
 * there. 0, or -1 with complaints. */
int build_lock_read(struct lock *ret, const struct recipe *r, const char *asked,
		    struct diag *d) _must_check_;
