/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `rackstrap fetch` and `rackstrap lock`: a recipe, and where its
 * inputs come from. */
#pragma once

#include "builder/command.h"

struct input_args {
	const char *recipe; /* a folder with recipe.cfg, or a file */
	const char *cache;  /* --cache; NULL: the usual one */
	const char *lock;   /* --lock; NULL: recipe.lock beside the recipe */
	bool artifacts;     /* --artifacts: the base is left alone */
	char **mirrors;     /* those of the environment too */
};

/* Fills `ret`, zeroed before; its strings but `mirrors` are argv's. */
int input_args_parse(struct input_args *ret, const struct command *self, int argc,
		     char **argv, struct err *e) _must_check_;
void input_args_done(struct input_args *a);
#define _cleanup_input_args_ _cleanup_(input_args_done)
