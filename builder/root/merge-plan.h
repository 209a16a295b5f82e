/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of each entry of the base once the recipe's layer and its excludes are
 * known. Everything is decided, and everything that must not be in an image is found,
 * before the first byte is written.
 */
#pragma once

#include "builder/root/layer.h"

/*
 * Marks what is dropped in `base`: what the globs match (a folder takes its tree) and
 * what an item of the layer replaces. A folder that the layer needs stays. Of hard links
 * whose first name goes, the next one gets the data. Complaints go to `d`.
 */
void plan(struct index *base, const struct layer *l, char *const *exclude,
	  struct diag *d);

/* Whether a path ("usr/share/doc/x") is excluded by one of the globs itself. */
bool plan_excludes(char *const *exclude, const char *path);
