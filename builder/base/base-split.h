/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits the tar that mmdebstrap writes into the files of a base folder (base.h).
 * root.tar gets no kernel, initrd or device nodes, and nothing that belongs to one
 * machine: its names, logs, caches and keys.
 */
#pragma once

#include "builder/recipe/recipe.h"

/*
 * Reads the tar on `fd` to its end and fills the folder `dir`. On an error *ret_damaged
 * says whether the tar could not be read; then the error of its writer explains more.
 */
int base_split(const struct recipe *r, int fd, const char *dir, bool *ret_damaged,
	       struct err *e) _must_check_;
