/* SPDX-License-Identifier: Apache-2.0 */
/* The files that `rackstrap new` writes: templates (pxe/variables.h) with @name@ and
 * @dir@. */
#pragma once

#include "lib/embed.h"

EMBED(starter_recipe, "builder/starter/recipe.cfg");
EMBED(starter_rack, "builder/starter/rack.cfg");
