/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of `rackstrap diff` and `rackstrap pxe --dry-run`. */
#pragma once

#include "pxe/diff.h"

/* Compares the sides and prints the result. Returns 0 when they are the same; else -1
 * with the error: ERR_FAILED when they differ, ERR_UNABLE when they could not be
 * compared. */
int diff_print(const struct diff_side *old, const struct diff_side *new, bool json,
	       struct err *e) _must_check_;

/* Makes the error ERR_UNABLE if it is ERR_FAILED, which of these commands says that the
 * sides differ. Returns -1. */
int diff_unable(struct err *e);
