/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides for each entry of the base whether it is in the image, from the recipe's layer
 * and excludes. Everything is decided and checked before the first byte is written.
 */
#pragma once

#include "builder/root/layer.h"

/* Returns whether merge_plan() needs the text of the base's file `path`. */
bool merge_plan_reads(const char *path);

/*
 * Marks entries of `base` as dropped: those that the globs match (a folder with all that
 * is in it) and those that an item of the layer replaces. Folders that the layer needs
 * are kept. When a file with hard links is dropped, the first link that is kept is
 * promoted to a file. Complaints about the result go to `d`.
 */
void merge_plan(struct index *base, const struct layer *l, char *const *exclude,
		struct diag *d);

/* Returns whether the glob matches a path of the base. */
bool merge_plan_matches(const char *glob, const struct index *base);

/* Returns whether one of the globs matches the path ("usr/share/doc/x") itself. */
bool merge_plan_excludes(char *const *exclude, const char *path);
