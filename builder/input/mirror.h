/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where inputs really come from: --mirror, as often as wanted, and $RACKSTRAP_MIRROR with
 * the same, separated by spaces. Two kinds:
 *
 *	PREFIX=REPLACEMENT	a URL that begins with PREFIX goes on behind
 *				REPLACEMENT, a URL or an absolute path of a folder
 *	URL or folder		a tree as `rackstrap cache export` makes it: every input
 *				at HOST/PATH, as `wget -x` names files, and the packages
 *				of a locked base at packages/ORIGIN/PATH
 */
#pragma once

#include "lib/err.h"

/* Adds one from the command line, checked. */
int mirrors_add(char ***mirrors, const char *arg, struct err *e) _must_check_;
/* Adds those of the environment behind the ones there are. */
int mirrors_add_environment(char ***mirrors, struct err *e) _must_check_;

/* The URL with the longest PREFIX that fits replaced; the first of equals. Owned. */
char *mirror_apply(char *const *mirrors, const char *url);

/*
 * Where an input is to be fetched: `source`, where it is found without mirrors, with a
 * PREFIX of it replaced; else, if there is a mirror without a PREFIX, `url`, what
 * everybody calls the input, in the first of these; else `source`. Owned.
 */
char *mirror_find(char *const *mirrors, const char *url, const char *source);

/* The path of an input in an exported tree, percent signs decoded, or NULL when there can
 * be none ('..' in it). Owned. */
char *mirror_path(const char *url);
