/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills in a text: @NAME@ becomes that variable's value. A line that holds nothing but
 * one @NAME@ (and blanks) whose value is empty is left out as a whole, so that optional
 * lines need no conditions. Lines that begin with "#@" are the template's own comments
 * and are left out. '@' elsewhere stands for itself.
 */
#pragma once

#include "lib/str.h"

struct template_var {
	const char *name; /* letters, digits, '_'; a NULL name ends the list */
	const char *value;
};

/* Appends to `out`. A name that `vars` does not know is a bug of ours: it aborts. */
void template_render(struct buf *out, const char *text, const struct template_var *vars);
