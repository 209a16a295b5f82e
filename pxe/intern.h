/* SPDX-License-Identifier: Apache-2.0 */
/* A set of texts, numbered in the order in which they were added. Zero-initialise. */
#pragma once

#include "lib/str.h"

struct intern {
	void *root;   /* tsearch(3) */
	char **texts; /* by number */
	size_t n;
};

/* Returns the number of `text`, adding it if it is new; *ret_new (may be NULL) is set
 * to true if it was new, else to false. */
size_t intern(struct intern *in, const char *text, bool *ret_new);
void intern_done(struct intern *in);
#define _cleanup_intern_ _cleanup_(intern_done)
