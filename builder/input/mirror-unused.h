/* SPDX-License-Identifier: Apache-2.0 */
/* Warns about mirrors that no input of a recipe is fetched from. */
#pragma once

#include "builder/recipe/recipe.h"

/*
 * Warns about each of the first `n` mirrors whose PREFIX begins no URL of the recipe,
 * with a URL that it may be meant for. If apt's sources on this machine are used, which
 * may have any URL, only a PREFIX that is nearly right is warned about.
 */
void mirrors_warn_unused(char *const *mirrors, size_t n, const struct recipe *r);
