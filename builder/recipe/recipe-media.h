/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the recipe's group media that options of `rackstrap build` can replace,
 * and their check. */
#pragma once

#include "builder/recipe/recipe.h"

bool recipe_media_is_sector_size(uint64_t n);

/* Checks host.cfg or rack.cfg. Call it when everything is read, with the command line,
 * which names the file if `by_option`: then a complaint that it cannot be read does not
 * name the recipe. */
void recipe_media_check(const struct recipe *r, bool by_option, struct diag *d);
/* Warns when the file, which passed the check, leaves a host without ssh keys. */
void recipe_media_warn(const struct recipe *r);
