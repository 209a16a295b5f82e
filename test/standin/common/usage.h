/* SPDX-License-Identifier: Apache-2.0 */
/* calicoctl's command line. */
#pragma once

#include "lib/str.h"

struct args {
	char **words;   /* what is not an option */
	char **options; /* "--name" or "--name=value" */
};

/* One line of the usage text. */
struct usage {
	const char *words;   /* literal, <ARG>, a|b, [optional], <ARG>... */
	const char *allowed; /* options */
	const char *needed;  /* option that must be there, or NULL */
};

/* 0, or -1 when an option is not one of 0.4.8, lacks its value, or has one too many. */
int args_read(struct args *a, int argc, char **argv) _must_check_;
void args_done(struct args *a);

/* An option's value, "" for one that takes none, NULL when it is not there. */
const char *args_option(const struct args *a, const char *name);

bool usage_fits(const struct usage *u, const struct args *a);
void usage_print(const struct usage *u, const char *program);
