/* SPDX-License-Identifier: Apache-2.0 */
/* What conf.c asks before it lets libconfig read a text. */
#pragma once

#include "firstboot/model/conf.h"

/* 0, or -1 with complaints. `flags` as conf_parse. `text` needs no NUL behind it. */
int conf_scan(const char *text, size_t len, const char *name, unsigned flags,
	      struct diag *d) _must_check_;
