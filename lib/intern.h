/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of texts, numbered in the order in which they were added. Zero-initialise. Adding
 * and finding one of `n` texts compares log n of them, whatever the texts are: loops over
 * lists from elsewhere look names up here.
 */
#pragma once

#include "lib/str.h"

struct intern {
	void *root;   /* tsearch(3) */
	char **texts; /* by number; NULL-terminated, or NULL while `n` is 0 */
	size_t n;
};

/* Returns the number of `text`, adding it if it is new; *ret_new (may be NULL) is set
 * to true if it was new, else to false. */
size_t intern(struct intern *in, const char *text, bool *ret_new);

/* Returns true and sets *ret (may be NULL) to the number of `text` if it was added. */
bool intern_find(const struct intern *in, const char *text, size_t *ret);
void intern_done(struct intern *in);
#define _cleanup_intern_ _cleanup_(intern_done)
