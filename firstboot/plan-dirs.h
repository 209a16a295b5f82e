/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of a plan's files. firstboot removes a directory that it has made
 * itself (generation.h), that no file of the plan is in, and that is empty.
 */
#pragma once

#include "firstboot/plan/plan.h"
#include "lib/intern.h"

/* Adds the directories that hold a file which the plan makes, and their parents, to *ret,
 * which is empty: paths below the root, parents first. */
void plan_dirs(struct intern *ret, const struct plan *p);

/* Adds the directories that hold only files which the plan removes, and their parents
 * that are not in plan_dirs(), to *ret, which is empty: parents first. */
void plan_dirs_left(struct intern *ret, const struct plan *p);
