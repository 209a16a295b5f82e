/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of a plan's files. firstboot removes a directory that it has made
 * itself (generation.h), that no file of the plan is in, and that is empty.
 */
#pragma once

#include "firstboot/plan.h"

/* Returns the directories that hold a file which the plan makes, and their parents: paths
 * below the root, parents first. A list of lib/str.h, owned by the caller. */
char **plan_dirs(const struct plan *p);

/* Returns the directories that hold only files which the plan removes, and their parents
 * that are not in plan_dirs(): children first. Owned by the caller. */
char **plan_dirs_left(const struct plan *p);
