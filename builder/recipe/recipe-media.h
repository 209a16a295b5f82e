/* SPDX-License-Identifier: Apache-2.0 */
/* What `rackstrap build`'s options may say of the recipe's group media, and its check. */
#pragma once

#include "builder/recipe/recipe.h"

bool media_is_sector_size(uint64_t n);

/* Once all is read, the command line too: host.cfg or rack.cfg must be right. */
void recipe_check_media(const struct recipe *r, struct diag *d);
