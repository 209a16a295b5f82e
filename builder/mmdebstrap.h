/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a base of type suite by running mmdebstrap(1). */
#pragma once

#include "recipe.h"

/* As struct base_type's make (base.h). */
int mmdebstrap_make(const struct recipe *r, const char *sources, char *const *mirrors,
		    const char *dir, const char *log, struct err *e) _must_check_;
