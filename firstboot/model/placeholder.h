/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial numbers and UUIDs of SMBIOS that identify no machine, because a vendor left the
 * firmware's placeholder in all boards of a model. The node ignores them, and the
 * operator's machine refuses them in a rack.cfg(5).
 */
#pragma once

#include "lib/cleanup.h"

/* Returns true for a product's serial number that is no machine's own: a text of the
 * table, in any spelling of blanks, dots and capitals; one without a letter or digit; or
 * one of zeros, or of at least four equal characters. */
bool placeholder_serial(const char *s);

/* Returns true for a UUID that more than one machine has: one of the table, one of 16
 * equal bytes, which includes SMBIOS's "not present" and "not settable", or one whose
 * last 12 bytes are 0xff. Also true for a text that is no UUID. */
bool placeholder_uuid(const char *s);
