/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows what extracting the members of a tree in their order makes of its names, as
 * tar(1) does, so that a member that cannot be extracted is refused by its name before
 * any program runs.
 */
#pragma once

#include "builder/common/archive.h"

struct tree_names;

/* `archive` is its name for messages, and is not copied. */
struct tree_names *tree_names_new(const char *archive);
void tree_names_free(struct tree_names *t);
void tree_names_free_p(struct tree_names **t);
#define _cleanup_tree_names_ _cleanup_(tree_names_free_p)

/*
 * Sets *ret, owned by the caller, to the path of a member whose normal path is `path`,
 * with the symlinks before it followed in every component but the last. Missing folders
 * are added, as tar(1) does. `member` is its name in the archive, for messages. Returns
 * -1 when the member is below something that is no folder.
 */
int tree_names_resolve(struct tree_names *t, const char *member, const char *path,
		       char **ret, struct err *e) _must_check_;

/*
 * Adds a member at its resolved path; `target` is the normal path that a hard link names,
 * or the target of a symlink. *ret_target, owned by the caller, becomes the resolved path
 * of a hard link's file, else NULL. Returns 1, 0 when there is nothing to extract (a hard
 * link to itself, or to a device, which is left out), or -1 when tar(1) would fail.
 */
int tree_names_add(struct tree_names *t, const struct entry *entry, const char *path,
		   const char *target, char **ret_target, struct err *e) _must_check_;

/* Notes that the member is left out. */
void tree_names_drop(struct tree_names *t, const struct entry *entry, const char *path);
