/* SPDX-License-Identifier: Apache-2.0 */
/* The folders of an image that systemd reads units from. */
#pragma once

#include <stdbool.h>

#define UNIT_DIRS 3

/* The folders, as in "etc/systemd/system/", in the order in which a unit is looked for.
 */
extern const char *const unit_dirs[UNIT_DIRS];

/* Returns true for the path of a unit, or of what is in a folder of units. */
bool unit_dirs_have(const char *path);
