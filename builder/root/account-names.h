/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of an image's users and groups, for its manifest: `rackstrap check` compares
 * the owners of secrets with them.
 */
#pragma once

#include "builder/root/layer.h"

#define ACCOUNT_USERS  "etc/passwd"
#define ACCOUNT_GROUPS "etc/group"

/* Returns true for the files that the index keeps the text of. */
bool account_names_reads(const char *path);

/* Returns the names in one of the two files of the base, in its order. NULL when they are
 * not known: the base has no such file, the recipe replaces or excludes it, or it is
 * larger than firstboot reads. Owned by the caller. */
char **account_names(const struct index *base, const struct layer *l, const char *path);
