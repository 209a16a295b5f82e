/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of recipe.lock(5), for lock-read.c and the test that compares the page with
 * them. */
#pragma once

#include "builder/input/lock.h"

/* The keys of the file and of its groups, NULL-terminated. */
extern const char *const lock_keys[];
extern const char *const lock_input_keys[];
extern const char *const lock_base_keys[];
extern const char *const lock_release_keys[];
extern const char *const lock_package_keys[];
