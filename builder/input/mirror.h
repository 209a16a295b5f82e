/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mirrors, other places to fetch inputs from: --mirror, any number of times, and
 * $RACKSTRAP_MIRROR with the same, separated by spaces. There are two kinds:
 *
 *	PREFIX=REPLACEMENT	in a URL that begins with PREFIX, REPLACEMENT (a URL or
 *				an absolute path of a folder) replaces PREFIX
 *	URL or folder		a tree as `rackstrap cache export` makes it: every input
 *				at HOST/PATH, as `wget -x` names files, and the packages
 *				of a locked base at packages/ORIGIN/PATH
 */
#pragma once

#include "lib/err.h"

/* Checks and adds a mirror of the command line. */
int mirrors_add(char ***mirrors, const char *arg, struct err *e) _must_check_;
/* Appends the mirrors of the environment. */
int mirrors_add_environment(char ***mirrors, struct err *e) _must_check_;

/* Returns the URL with the longest matching PREFIX replaced; of equal ones, the first.
 * Owned by the caller. */
char *mirror_apply(char *const *mirrors, const char *url);

/*
 * Returns the URL to fetch an input from: `source`, its URL without mirrors, with a
 * PREFIX replaced; else, if there is a mirror without a PREFIX, the place of `url`, the
 * input's name, in the first of these; else `source`. A query that `source` has and `url`
 * has not is a secret of the source's server, and is not sent to a mirror. Owned by the
 * caller.
 */
char *mirror_find(char *const *mirrors, const char *url, const char *source);

/* Returns the path of an input in an exported tree, percent signs decoded, or NULL when
 * there is none ('..' in it). Owned by the caller. */
char *mirror_path(const char *url);
