/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a base by running mmdebstrap(1). */
#pragma once

#include "base.h"

/*
 * As struct base_type's make: the packages of an archive. With `tree`, the path of a tar,
 * what is in that is there already; the recipe's packages, if there are any, are added,
 * and every kernel in it gets an initrd.
 */
int mmdebstrap_make(const struct base_work *w, const char *tree,
		    struct err *e) _must_check_;
