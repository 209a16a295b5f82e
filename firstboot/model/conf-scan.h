/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that conf-source.c makes before libconfig parses a text. */
#pragma once

#include "firstboot/model/conf-source.h"
#include "firstboot/model/conf.h"

/* A flag beside those of conf_parse(): the file may be as large as a rack. */
#define CONF_OF_RACK (1U << 31)

/* An @include in a line of its own. */
struct conf_include {
	size_t at, end; /* of the text from '@' to behind the closing quotation mark */
	unsigned line;
	char *name;
};

struct conf_scanned {
	struct conf_include *includes;
	size_t n_includes;
	bool is_open; /* a string or comment does not end */
};

/* Returns 0, or -1 with complaints. `flags` as for conf_parse. *ret must be zeroed; the
 * caller empties it, also after a failure. */
int conf_scan(const struct conf_lines *lines, unsigned flags, struct conf_scanned *ret,
	      struct diag *d) _must_check_;
void conf_scanned_done(struct conf_scanned *s);
#define _cleanup_conf_scanned_ _cleanup_(conf_scanned_done)
