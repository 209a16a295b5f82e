/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by all base types (in base-suite.c): the recipe's keys about a distribution's
 * archive and its packages. A base of type suite is made of these packages alone; to the
 * other types they are added.
 */
#pragma once

#include "builder/base/base.h"

extern const char *const base_archive_keys[]; /* "type" included */
extern const struct tool base_archive_tools[];

/* Reads the keys over what `b` has already. */
void base_archive_parse(struct recipe_base *b, const struct conf_node *group,
			struct diag *d);
/* Complains about missing and useless keys. `needed`: packages must be installed. */
void base_archive_check(const struct recipe_base *b, bool needed, struct diag *d);
/* Appends the keys, one a line, for --dry-run. */
void base_archive_describe(const struct recipe_base *b, struct buf *out);
/* Implements `prepare` of struct base_type, as far as it is about the archive. */
int base_archive_prepare(const struct recipe *r, const char *cache, struct buf *inputs,
			 struct buf *sources, struct err *e) _must_check_;
