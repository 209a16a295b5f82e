/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root filesystem tar, as a base type's tool makes it, taken apart into the files of a
 * base folder (base.h), with everything left out that is not the image's business: the
 * build machine's own names, logs, caches, keys, device nodes, the kernel and initrd.
 */
#pragma once

#include "builder/recipe/recipe.h"

/*
 * Reads the tar on `fd` to its end. 0, or -1; *ret_damaged then says whether it was the
 * tar that could not be read: its maker knows better why.
 */
int base_split(const struct recipe *r, int fd, const char *dir, bool *ret_damaged,
	       struct err *e) _must_check_;
