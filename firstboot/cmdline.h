/* SPDX-License-Identifier: Apache-2.0 */
/* Reads this machine's kernel command line. */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/cmdline-word.h"

/* Reads the command line: that of --cmdline, or /proc/cmdline under the root, "" when
 * there is no such file. *ret is owned by the caller. Returns 0 or -errno. */
int cmdline_read(char **ret, const struct firstboot *fb) _must_check_;

/* Returns the last value of "rackstrap.KEY", `key` in the form of cmdline_key(), or NULL.
 * Owned by the caller. */
char *cmdline_value(const struct firstboot *fb, const char *key);
