/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the command lines of build, fetch and lock: a recipe, and where its inputs
 * come from.
 */
#pragma once

#include "builder/input/netrc.h"
#include "lib/command.h"

enum input_option {
	OPT_ARTIFACTS = 1,
	OPT_CACHE,
	OPT_LOCK,
	OPT_MIRROR,
	OPT_NETRC,
	OPT_FIRST_OWN, /* a command's own options begin here */
};

/* Rows that the commands' tables share. */
#define INPUT_OPTION_CACHE                                                               \
	{                                                                                \
		.name = "cache", .arg = "DIR", .kind = ARG_DIR, .id = OPT_CACHE,         \
		.help = "the cache of inputs and bases (default: $RACKSTRAP_CACHE, "     \
			"$XDG_CACHE_HOME/rackstrap, ~/.cache/rackstrap)",                \
	}
#define INPUT_OPTION_MIRROR                                                              \
	{                                                                                \
		.name = "mirror", .arg = "PREFIX=URL", .id = OPT_MIRROR,                 \
		.help = "fetch from URL what begins with PREFIX, or everything from "    \
			"an exported cache (--mirror URL); may be repeated",             \
	}
#define INPUT_OPTION_NETRC                                                               \
	{                                                                                \
		.name = "netrc-file", .arg = "FILE", .kind = ARG_FILE, .id = OPT_NETRC,  \
		.help = "user names and passwords for the servers of the inputs, as "    \
			"netrc(5) has them",                                             \
	}
#define INPUT_OPERAND_RECIPE                                                             \
	{                                                                                \
		.name = "RECIPE", .kind = ARG_FILE,                                      \
		.help = "a folder with recipe.cfg, a file, or the name of an installed " \
			"recipe",                                                        \
	}

/* The options of fetch and lock. */
struct input_args {
	char *recipe;       /* its folder, its file or an installed one's name; owned */
	const char *cache;  /* --cache, or NULL for the default */
	const char *lock;   /* --lock, or --output of lock; NULL: beside the recipe */
	char *named_lock;   /* the default of `lock` for an installed recipe; owned */
	bool artifacts;     /* --artifacts: without the packages of the base */
	char **mirrors;     /* of --mirror, then those of the environment */
	size_t n_given;     /* of --mirror */
	struct netrc netrc; /* of --netrc-file; empty without it */
};

/* Fills `ret`, which is zeroed. `makes_lock`: the command writes the lock. Returns 0, or
 * -1 with `e` set. */
int input_args_parse(struct input_args *ret, const struct command_line *line,
		     bool makes_lock, struct err *e) _must_check_;
void input_args_done(struct input_args *a);
#define _cleanup_input_args_ _cleanup_(input_args_done)

/*
 * Finds the recipe and its lock. *ret_recipe is the path of the recipe. If it was named
 * (builder/installed.h), *ret_lock is NAME.lock in this folder, where `rackstrap lock`
 * writes it; the other commands use it if it exists. Else it is NULL: recipe.lock beside
 * the recipe. Both are owned by the caller. Returns 0, or -1 with `e` set.
 */
int input_args_recipe(const char *arg, bool makes_lock, char **ret_recipe,
		      char **ret_lock, struct err *e) _must_check_;

/* Reads the file of --netrc-file, if there is one, into `ret`, which is zeroed. */
int input_args_netrc(struct netrc *ret, const struct command_line *line,
		     struct err *e) _must_check_;

/* Returns how often --mirror was given. */
size_t input_args_given_mirrors(const struct command_line *line);

/* Collects --mirror and the environment's mirrors. Returns 0, or -1 with `e` set; *ret is
 * owned by the caller in either case. */
int input_args_mirrors(char ***ret, const struct command_line *line,
		       struct err *e) _must_check_;
