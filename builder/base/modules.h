/* SPDX-License-Identifier: Apache-2.0 */
/* The modules of a kernel, by the kernel's own names, and those that a recipe names. */
#pragma once

#include "builder/recipe/recipe.h"
#include "lib/str.h"

/* Zero-initialise; end with module_names_done(). */
struct module_names {
	struct strv_builder all; /* files and built-in ones */
	struct strv_builder builtin;
	size_t bytes; /* of the names */
};

/* Returns true for the path of a module, and of a kernel's list of built-in modules. */
bool module_is_file(const char *path);
bool module_is_builtin_list(const char *path);

/* Adds a module by its path. Returns -1 when there are too many. */
int module_names_add(struct module_names *m, const char *path,
		     struct err *e) _must_check_;
/* Adds the modules of a list of built-in ones. */
int module_names_add_builtin(struct module_names *m, const char *text,
			     struct err *e) _must_check_;
void module_names_done(struct module_names *m);

/*
 * Checks that the kernel has the modules of the recipe's initramfs, and, if that lists
 * modules, that those without which no image boots are listed or built in. Without any
 * module nothing is checked: the kernel has none.
 */
void module_names_check(const struct module_names *m, const struct recipe *r,
			struct diag *d);
