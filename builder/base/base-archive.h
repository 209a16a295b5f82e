/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a base that is a distribution's archive: where packages come from, which
 * ones, and what of that determines the outcome. All of a base of type suite, and what is
 * added on top of the others. In base-suite.c.
 */
#pragma once

#include "builder/base/base.h"

extern const char *const base_archive_keys[]; /* "type" included */
extern const struct tool base_archive_tools[];

void base_archive_parse(struct recipe_base *b, const struct conf_node *group,
			struct diag *d);
/* `needed`: something has to be installed. */
void base_archive_check(const struct recipe_base *b, bool needed, struct diag *d);
void base_archive_describe(const struct recipe_base *b, struct buf *out);
int base_archive_prepare(const struct recipe *r, struct buf *inputs, struct buf *sources,
			 struct err *e) _must_check_;
