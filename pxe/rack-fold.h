/* SPDX-License-Identifier: Apache-2.0 */
/* Shortens the complaints about a rack in which many hosts have the same mistake. */
#pragma once

#include "lib/err.h"

/*
 * Leaves the complaints of the first host of those that differ only in the host, with a
 * detail that counts the other hosts and names a few; of the first three hosts if they
 * also differ in numbers or quoted values. diag_count() stays the same. Does nothing to a
 * diag with `whole`.
 */
void rack_fold(struct diag *d);
