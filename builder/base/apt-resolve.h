/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out which packages a suite's base would be made of now. apt itself resolves them,
 * from indexes that it fetches into a temporary folder and verifies.
 */
#pragma once

#include "builder/input/lock.h"
#include "builder/recipe/recipe.h"

/*
 * Fills in everything of *ret but `where`. `sources` is where this machine gets the suite
 * from, as stanzas of sources.list(5) to which mirrors are not applied yet.
 */
int apt_resolve(struct lock_base *ret, const struct recipe *r, const char *sources,
		char *const *mirrors, struct err *e) _must_check_;

/* Returns the packages that the recipe names, its kernel included, sorted. Owned. */
char **apt_requested(const struct recipe *r);

/* Returns the URI of the archive that has the release, by `sources`, or NULL. Owned. */
char *apt_archive_of(const char *sources, const char *release);
