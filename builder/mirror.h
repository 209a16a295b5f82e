/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where inputs really come from: --mirror PREFIX=REPLACEMENT, as often as wanted, and
 * $RACKSTRAP_MIRROR with the same, separated by spaces. A replacement is a URL or an
 * absolute path of a folder on this machine.
 */
#pragma once

#include "lib/err.h"

/* Adds one from the command line, checked. */
int mirrors_add(char ***mirrors, const char *arg, struct err *e) _must_check_;
/* Adds those of the environment behind the ones there are. */
int mirrors_add_environment(char ***mirrors, struct err *e) _must_check_;

/* The URL with the longest PREFIX that fits replaced; the first of equals. Owned. */
char *mirror_apply(char *const *mirrors, const char *url);
