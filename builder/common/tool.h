/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that the builder runs, with the Debian packages that bring them. */
#pragma once

#include "lib/err.h"

struct tool {
	const char *program, *package;
};

/* Checks that every program of `tools`, which an entry without program ends, is in PATH.
 * Returns 0, or -1 with the first missing program and its package in the error. */
int tools_check(const struct tool *tools, struct err *e) _must_check_;
/* Complains about every one that is missing, once, behind `prefix`: "image 'iso': " or
 * "". */
void tools_missing(const struct tool *tools, const char *prefix, struct diag *d);
