/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a base from a root filesystem that others have made. It is copied to a plain tar,
 * without files that belong to the machine or container it was, and given to mmdebstrap.
 */
#pragma once

#include "builder/base/base.h"
#include "builder/common/archive-limit.h"

/* Returns the limit of what the base is made from. */
struct archive_limit base_limit(const struct recipe_base *b);

/*
 * Reads a tar, compressed or not, from `fd` and writes the entries that are kept to the
 * new file `path`. If the base is a layer (b->layer), `fd` is an archive that registry.h
 * has fetched, and the tar is the layer of that digest in it. `name` is for messages.
 */
int base_tree_write(int fd, const struct recipe_base *b, const char *name,
		    const char *path, struct err *e) _must_check_;

/* Reads the tar as base_tree_write() does, but writes nothing. */
int base_tree_check(int fd, const struct recipe_base *b, const char *name,
		    struct err *e) _must_check_;

/* Writes the tree as a tar to `path`, with base_tree_write(). */
typedef int base_tree_source(const struct base_work *w, const char *path, struct err *e);
/* Lets `source` write the tree into a temporary folder, and mmdebstrap make the base. */
int base_tree_make(const struct base_work *w, base_tree_source *source,
		   struct err *e) _must_check_;

/* Parse and describe the keys of both types, tar and disk: url, sha256, sha512 and those
 * of base-archive.h. */
void base_tree_parse(struct recipe_base *b, const struct conf_node *group,
		     struct diag *d);
void base_tree_describe(const struct recipe_base *b, struct buf *out);
