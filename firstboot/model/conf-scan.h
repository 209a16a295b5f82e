/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that conf.c makes before libconfig parses a text. */
#pragma once

#include "firstboot/model/conf.h"

/* Returns 0, or -1 with complaints. `flags` as for conf_parse. `text` ends with a NUL. */
int conf_scan(const char *text, size_t len, const char *name, unsigned flags,
	      struct diag *d) _must_check_;
