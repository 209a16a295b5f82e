/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments that may be names: of the recipes and rack files that are installed with
 * rackstrap, and of images that were built here. Everything with a slash is a path, and
 * so is a name that is there; but a folder counts only if it has the file that is read:
 * recipe.cfg, rack.cfg or manifest.json.
 */
#pragma once

#include "lib/err.h"

/*
 * Sets *ret to the path of the recipe `arg`: itself, or the folder of the installed
 * recipe of that name. *ret_lock is then the name of its lock in this folder, NAME.lock,
 * because only root can write beside an installed recipe; else NULL. When it is neither,
 * fails with the names there are: ERR_FAILED, as for a path that does not exist. Both are
 * owned by the caller.
 */
int installed_recipe(const char *arg, char **ret, char **ret_lock,
		     struct err *e) _must_check_;

/* Returns the folder that has the program that runs, or NULL. Owned by the caller. */
char *installed_program_dir(void);

/* Returns the path of the rack file `arg`: itself, rack.cfg in it if it is a folder, or
 * the installed NAME.cfg. Owned by the caller. */
char *installed_rack(const char *arg);

/* Returns the path of the folder of an image: `arg`, or out/NAME if only that has one.
 * Owned by the caller; NULL if `arg` is. */
char *built_image(const char *arg);
