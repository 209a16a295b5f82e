/* SPDX-License-Identifier: Apache-2.0 */
/* `rackstrap status --watch`. */
#pragma once

#include "lib/err.h"

/*
 * Shows what the hosts of a tree do, or of the folder of a rack, until a signal ends it:
 * on a terminal a screen that is drawn again and again, elsewhere a line for each change.
 * Returns 0 if all hosts are ready then, else -1 with their number.
 */
int status_watch(const char *dir, struct err *e) _must_check_;
