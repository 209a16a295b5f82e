/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image types: the values of a recipe's `images`. A recipe knows them only by this table;
 * builder/image fills it in.
 */
#pragma once

#include "builder/common/tool.h"

struct image_parts;

struct image_type {
	const char *name;
	bool medium;                     /* true: the group media applies to it */
	bool parts;                      /* true: its outputs are the parts themselves */
	const struct tool *const *tools; /* lists of programs it needs, or NULL */

	/* Makes the outputs in the outputs' folder and adds their names to *outputs. */
	int (*write)(const struct image_parts *parts, char ***outputs, struct err *e);
};

/* All image types, NULL-terminated. */
extern const struct image_type *const image_types[];

/* Returns the type with this name, or NULL. */
const struct image_type *image_type_find(const char *name);

/* Returns the name of the i-th type, or NULL behind the last. */
const char *image_type_name(size_t i);
