/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which packages a suite's base would be made of now: apt's own answer, from indexes that
 * it fetches and verifies into a folder that is thrown away.
 */
#pragma once

#include "builder/input/lock.h"
#include "builder/recipe/recipe.h"

/*
 * `sources` is where this machine gets the suite from, in stanzas of sources.list(5),
 * before mirrors. Fills in everything but `where`.
 */
int apt_resolve(struct lock_base *ret, const struct recipe *r, const char *sources,
		char *const *mirrors, struct err *e) _must_check_;

/* What the recipe asks for: its packages and its kernel, sorted. Owned. */
char **apt_wanted(const struct recipe *r);

/* The URI of the archive that has the release, by `sources`, or NULL. Owned. */
char *apt_archive_of(const char *sources, const char *release);
