/* SPDX-License-Identifier: Apache-2.0 */
/* Shortens the complaints about a rack in which many hosts have the same mistake. */
#pragma once

#include "lib/err.h"

/*
 * Leaves the first host's complaints if others differ only in the host, with a detail
 * that counts the other hosts and names a few. Leaves the first ten of those that also
 * differ in numbers or double-quoted values, or that are about no host.
 * diag_count() stays the same. Does nothing to a diag with `whole`.
 */
void rack_fold(struct diag *d);
