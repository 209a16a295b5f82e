/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root filesystem that somebody else made, on its way to become a base: as a plain tar,
 * without what is the business of the machine, or the container, that it was.
 */
#pragma once

#include "builder/base/base.h"

/*
 * Reads a tar, compressed or not, from `fd` and writes what is kept of it to the file
 * `path`. With `layer` (hexadecimal digits) `fd` is what registry.h fetches, and the
 * layer of that digest in it is the tree. `name` is for messages.
 */
int base_tree_write(int fd, const char *layer, const char *name, const char *path,
		    struct err *e) _must_check_;

/* Reads it as base_tree_write() does, and keeps nothing. */
int base_tree_check(int fd, const char *layer, const char *name,
		    struct err *e) _must_check_;

/* What base_tree_write is the middle of: a scratch folder, the tree in it, mmdebstrap. */
typedef int base_tree_source(const struct base_work *w, const char *path, struct err *e);
int base_tree_make(const struct base_work *w, base_tree_source *source,
		   struct err *e) _must_check_;

/* What tar and disk have in common: keys url, sha256, sha512. */
void base_tree_parse(struct recipe_base *b, const struct conf_node *group,
		     struct diag *d);
void base_tree_describe(const struct recipe_base *b, struct buf *out);
