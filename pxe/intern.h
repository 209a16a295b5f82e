/* SPDX-License-Identifier: Apache-2.0 */
/* Texts, each kept once and numbered in the order they came. Zero-initialise. */
#pragma once

#include "lib/str.h"

struct intern {
	void *root;   /* tsearch(3) */
	char **texts; /* by number */
	size_t n;
};

/* The text's number; *ret_new (may be NULL): it had none before. */
size_t intern(struct intern *in, const char *text, bool *ret_new);
void intern_done(struct intern *in);
#define _cleanup_intern_ _cleanup_(intern_done)
