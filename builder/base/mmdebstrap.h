/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a base by running mmdebstrap(1) in a sandbox (sandbox.h). */
#pragma once

#include "builder/base/base.h"

/*
 * Makes the base, as make of struct base_type does. Without `tree` it is made of the
 * suite's essential packages and those of the recipe. With `tree`, the path of a tar, the
 * base begins as that tree; the recipe's packages, if it has any, are added, and every
 * kernel without an initrd gets one. `status` is the path of the tree's dpkg status file;
 * NULL: the tree has none, or there are no packages to add.
 */
int mmdebstrap_make(const struct base_work *w, const char *tree, const char *status,
		    struct err *e) _must_check_;
