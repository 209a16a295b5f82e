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

	/* Reads its keys over what is there, and checks the whole once all is read. */
	void (*parse)(struct recipe_base *b, const struct conf_node *group,
		      struct diag *d);
	void (*check)(const struct recipe *r, struct diag *d);
	void (*describe)(const struct recipe_base *b, struct buf *out); /* --dry-run */

	/* Checks what the base is made from, as far as that goes without making it: reads
	 * `fd`, from its beginning. NULL: it is not made from one file. */
	int (*check_source)(const struct recipe *r, int fd, struct err *e);
	/*
	 * Appends to `inputs` what the recipe says about the base, and to `sources` where
	 * this machine gets it from: both determine where it is in the cache, the first
	 * alone is its key in the manifest. Nothing is fetched yet.
	 */
	int (*prepare)(const struct recipe *r, struct buf *inputs, struct buf *sources,
		       struct err *e);
	/*
	 * Which packages it would be made of now, with their digests (everything but
	 * `where`). NULL: such a base is not made of packages that could be locked. Where
	 * it is locked, make is given a source that has these packages only.
	 */
	int (*resolve)(struct lock_base *ret, const struct recipe *r, const char *sources,
		       char *const *mirrors, struct err *e);
	/* The programs that make needs, with the packages they are in. Their digests
	 * are in the cache's key: another version may make another tree. */
	const struct tool *tools;
	/* Fills the folder (see above), all but inputs and complete. */
	int (*make)(const struct base_work *w, struct err *e);
};

/* Every type there is, NULL-terminated. */
extern const struct base_type *const base_types[];

/* Returns the type with this name, or NULL. */
const struct base_type *base_type_find(const char *name);

/* Returns all names, as in "suite, tar". Owned. */
char *base_type_names(void);
