/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base types: the values of a recipe's base.type. A recipe knows them only by this table;
 * builder/base fills it in, one file for each type (base-NAME.c).
 */
#pragma once

#include "builder/common/tool.h"
#include "builder/recipe/recipe.h"

struct base_work;
struct lock_base;

struct base_type {
	const char *name;
	const char *const *keys; /* of the recipe's base group, "type" included */

	/* Reads the base's keys over those of an included recipe, and checks them once
	 * all is read. */
	void (*parse)(struct recipe_base *b, const struct conf_node *group,
		      struct diag *d);
	void (*check)(const struct recipe *r, struct diag *d);
	/* Appends the keys, one a line, for --dry-run. */
	void (*describe)(const struct recipe_base *b, struct buf *out);

	/* Checks the file that the base is made from, as far as that is possible without
	 * making it: reads `fd` from its beginning. NULL for a type that is not made from
	 * one file. */
	int (*check_source)(const struct recipe *r, int fd, struct err *e);
	/*
	 * Appends to `inputs` what the recipe says about the base, and to `sources` where
	 * this machine gets it from. Both determine the base's place in the cache;
	 * `inputs` alone is its key in the manifest. Fetches nothing. `cache` is the
	 * cache's folder, or NULL.
	 */
	int (*prepare)(const struct recipe *r, const char *cache, struct buf *inputs,
		       struct buf *sources, struct err *e);
	/*
	 * Finds the packages that the base would be made of now, with their digests
	 * (everything but `where`). NULL for a type that is not made of packages that
	 * could be locked. For a locked base, make() is given a source that has only
	 * these packages.
	 */
	int (*resolve)(struct lock_base *ret, const struct recipe *r, const char *sources,
		       char *const *mirrors, struct err *e);
	/* The programs that make() needs, with their packages. Their digests are part of
	 * the cache's key: another version may make another tree. */
	const struct tool *tools;
	/* Makes the files of the base (builder/base/base.h) in the folder w->dir, except
	 * `inputs` and `complete`. */
	int (*make)(const struct base_work *w, struct err *e);
};

/* All base types, NULL-terminated. */
extern const struct base_type *const base_types[];

/* Returns the type with this name, or NULL. */
const struct base_type *base_type_find(const char *name);

/* Returns all names, as in "suite, tar". Owned by the caller. */
char *base_type_names(void);
