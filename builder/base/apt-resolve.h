/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out which packages a base would be made of now. apt itself resolves them, from
 * indexes that it fetches into a temporary folder (apt-root.h) and verifies.
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

/*
 * Does the same, and lets apt download the packages into the folder `dir`, unless it is
 * NULL, by the names of apt_archive_name(); apt has compared their digests then. With
 * `status`, dpkg's status file, the recipe's packages are added to the system that it
 * describes: *ret has those that are missing there, and may be empty.
 */
int apt_download(struct lock_base *ret, const struct recipe *r, const char *sources,
		 char *const *mirrors, const char *status, const char *dir,
		 struct err *e) _must_check_;

/* Returns the name under which apt stores a package, "NAME_VERSION_ARCH.deb". Owned. */
char *apt_archive_name(const struct lock_package *p);

/* Returns the packages that the recipe names, its kernel included, sorted. Owned. */
char **apt_requested(const struct recipe *r);

/*
 * The steps of apt_resolve(), which parse texts of apt. Adds a package to `b`, with its
 * path and release, for each URL that apt-get --print-uris printed into `text`, and sorts
 * them by path. Returns -1 for a URL in none of the sources.
 */
int apt_parse_urls(struct lock_base *b, const char *sources, const char *text,
		   struct err *e) _must_check_;
/* Completes these packages from a Packages file; a package that it does not have stays
 * as it is. */
int apt_parse_index(struct lock_base *b, int dirfd, const char *file,
		    struct err *e) _must_check_;
/* Adds a Release or InRelease file, which apt names "..._dists_RELEASE_InRelease". */
int apt_parse_release(struct lock_base *b, int dirfd, const char *file,
		      struct err *e) _must_check_;

/* Returns the URI of the archive that has the release, by `sources`, or NULL. Owned. */
char *apt_archive_of(const char *sources, const char *release);
