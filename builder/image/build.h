/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the images of a recipe, as `rackstrap build` does. */
#pragma once

#include "builder/input/lock.h"
#include "builder/recipe/recipe.h"

struct build_options {
	const char *out;           /* folder; the image becomes OUT/<recipe's name> */
	const char *cache;         /* folder; NULL: the default (cache.h) */
	const char *lock;          /* file; NULL: recipe.lock beside the recipe */
	const char *firstboot;     /* path of the program that goes into the image */
	char *const *mirrors;      /* as in mirror.h */
	const struct netrc *netrc; /* for the inputs' servers, or NULL */
	bool offline;              /* fetch nothing */
	bool refresh; /* make base and root image again, also when they are cached */
	bool verify;  /* read every file of the cache, even one that did not change */
	bool json;    /* print the summary as JSON */
};

/* Builds all images of the recipe into OUT/NAME and prints a summary on standard output.
 * Returns 0, or -1 with an earlier OUT/NAME unchanged. */
int build(const struct recipe *r, const struct build_options *o,
	  struct err *e) _must_check_;

/* Returns the path of the lock: `option`, the argument of --lock, or when it is NULL
 * "recipe.lock" beside the recipe. Owned. */
char *build_lock_path(const struct recipe *r, const char *option);

/* Reads that file. Without a "recipe.lock" nothing is locked; the file that --lock names
 * must exist. Returns 0, or -1 with complaints. */
int build_lock_read(struct lock *ret, const struct recipe *r, const char *option,
		    struct diag *d) _must_check_;
