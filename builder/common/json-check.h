/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a text that is to be JSON (RFC 8259). */
#pragma once

#include "lib/err.h"

/* Returns 0 if the text is one JSON value whose objects have no key twice; else -1 with
 * "line 3: ...", and *ret_at is the offset of the last byte that was read. The text comes
 * from a recipe's template and sample values, not from elsewhere: there are no limits but
 * jansson's. */
int json_check(const char *text, size_t len, size_t *ret_at, struct err *e) _must_check_;
