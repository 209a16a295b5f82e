/* SPDX-License-Identifier: Apache-2.0 */
/* Parses calicoctl's command line and matches it against the lines of its usage text. */
#pragma once

#include "lib/str.h"

struct args {
	char **words;   /* arguments that are not options */
	char **options; /* "--name" or "--name=value" */
};

/* One line of the usage text. */
struct usage {
	const char *words;   /* literal, <ARG>, a|b, [optional], <ARG>... */
	const char *allowed; /* options allowed */
	const char *needed;  /* required option, or NULL */
};

/* Returns 0, or -1 when an option is not one of 0.4.8, lacks its value, or has a value
 * although it takes none. */
int args_read(struct args *a, int argc, char **argv) _must_check_;
void args_done(struct args *a);

/* Returns an option's value, "" for an option that takes no value, NULL when it was not
 * given. */
const char *args_option(const struct args *a, const char *name);

bool usage_fits(const struct usage *u, const struct args *a);
void usage_print(const struct usage *u, const char *program);
