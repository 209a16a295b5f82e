/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base out of exactly the packages that its lock names: these, by their digests, from
 * the cache or fetched into it, and put up as a small archive that has nothing else.
 */
#pragma once

#include "builder/input/lock.h"
#include "builder/input/obtain.h"
#include "builder/recipe/recipe.h"

/*
 * Gets all of them into the cache. `sources` is where this machine gets the suite from
 * (base.h), before mirrors. What the archive no longer has is told with what it has.
 */
int debs_obtain(const struct lock_base *b, const struct recipe *r, const char *sources,
		const struct cache *c, const struct obtain_options *o,
		size_t *ret_fetched, struct err *e) _must_check_;

/*
 * Makes the archive below $TMPDIR, readable by everybody, and appends to `out` the source
 * that names it. They are in the cache already. `note` is a file that remembers the
 * folder, so that what a killed build left is removed by the next; *ret is the folder.
 */
int debs_repo(const struct lock_base *b, const struct recipe *r, const struct cache *c,
	      const char *note, struct buf *out, char **ret, struct err *e) _must_check_;

/* Whether the recipe still asks for what was locked. Complaints go to `d`. */
void debs_check_recipe(const struct lock_base *b, const struct recipe *r, struct diag *d);

/* Whether everything installed ("name version architecture" a line) is in the lock. */
int debs_check_installed(const struct lock_base *b, const char *packages,
			 struct err *e) _must_check_;

/* What of `now` is another version than in the lock, a complaint each, at most `max`. */
size_t debs_diff(const struct lock_base *was, const struct lock_base *now, size_t max,
		 struct diag *d);
