/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an archive of exactly the packages that a base needs, on this machine: the
 * programs that install them run without network (sandbox.h). With a lock they are those
 * that it names, come from the cache or are fetched into it, and have its digests.
 */
#pragma once

#include "builder/common/leftovers.h"
#include "builder/input/lock.h"
#include "builder/input/obtain.h"
#include "builder/recipe/recipe.h"

/*
 * Fetches the locked packages into the cache. `sources` is where this machine gets the
 * suite from (base.h), without mirrors applied. *ret_fetched counts those that were not
 * in the cache. When the archive has other versions now, the error names them.
 */
int debs_obtain(const struct lock_base *b, const struct recipe *r, const char *sources,
		const struct cache *c, const struct obtain_options *o,
		size_t *ret_fetched, struct err *e) _must_check_;

/*
 * Makes an archive of the locked packages, which must be in the cache, in a scratch
 * folder below $TMPDIR that everybody may read. Appends the source that names it to
 * `out`. *ret_installed is the sum of the sizes that the packages have when they are
 * installed, as they say. End with scratch_done(), also after an error.
 */
int debs_repo(const struct lock_base *b, const struct recipe *r, const struct cache *c,
	      struct scratch *s, struct buf *out, uint64_t *ret_installed,
	      struct err *e) _must_check_;

/*
 * Makes such an archive of the packages that the suite has now, which apt downloads
 * (apt_download). `status` is dpkg's status file of the system that they are added to, or
 * NULL.
 */
int debs_repo_now(const struct recipe *r, const char *sources, char *const *mirrors,
		  const char *status, struct scratch *s, struct buf *out,
		  uint64_t *ret_installed, struct err *e) _must_check_;

/* Checks that the recipe names the suite and the packages that were locked. Complaints go
 * to `d`. */
void debs_check_recipe(const struct lock_base *b, const struct recipe *r, struct diag *d);

/* Checks that every installed package (a line "name version architecture" each) is in the
 * lock with that version. */
int debs_check_installed(const struct lock_base *b, const char *packages,
			 struct err *e) _must_check_;

/* Reports packages that differ between two locks, at most `max` complaints. Returns how
 * many differ. */
size_t debs_diff(const struct lock_base *was, const struct lock_base *now, size_t max,
		 struct diag *d);
