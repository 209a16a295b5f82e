/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scratch folders of rackstrap (lib/scratch.h). All of them are recorded in one
 * folder of the user, CACHE/left, CACHE being the cache without --cache. So every command
 * finds what any other command has left, wherever that is, and removes it before it runs
 * (lib/command.h, `sweep`).
 */
#pragma once

#include "lib/scratch.h"

#include <sys/types.h>

/* Returns the cache's folder without --cache: $RACKSTRAP_CACHE, else
 * $XDG_CACHE_HOME/rackstrap, else ~/.cache/rackstrap; NULL without HOME. Owned. */
char *cache_dir_default(void);

/* Returns the folder of the records, owned by the caller. Without HOME it is in /var/tmp,
 * if nobody else can write to it there; NULL if not: then nothing is recorded. */
char *leftovers_dir(void);

/* Makes a scratch folder in `parent`, or in temp_dir() with `parent` NULL. Root may use
 * no temp_dir() in which others can rename what is root's. */
int leftovers_make(struct scratch *ret, const char *parent, const char *name,
		   struct err *e) _must_check_;

/* Makes a scratch folder for a new `path` in the folder of `path`. *ret_to, owned by the
 * caller, is the path to rename the finished file to (scratch_beside()). */
int leftovers_make_beside(struct scratch *ret, const char *path, char **ret_to,
			  struct err *e) _must_check_;

/* Does what file_write_at() does, with the temporary file in a scratch folder. */
int leftovers_write_file(const char *path, const void *data, size_t len, mode_t mode,
			 struct err *e) _must_check_;

/* Removes a tree, also one with files that belong to the ids of a user namespace. Returns
 * 0 or -errno. */
int leftovers_remove_tree(const char *path);

/* Removes what processes of this user left that were killed. */
void leftovers_sweep(void);
