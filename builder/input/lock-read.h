/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of recipe.lock(5), for lock-read.c and the test that compares the page with
 * them. */
#pragma once

#include "builder/input/lock.h"

extern const char *const lock_keys[], *const lock_input_keys[],
					      *const lock_base_keys[],
						      *const lock_release_keys[],
							      *const lock_package_keys[];
