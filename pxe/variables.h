/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders the templates of this program's own texts, such as nginx.conf; those of recipes
 * are in firstboot/model/template.h. @NAME@ is replaced by that variable's value. A line
 * that contains only one @NAME@ (and blanks) is left out if the value is empty, so
 * optional lines need no conditions. Lines that begin with "#@" are comments of the
 * template and are left out. A '@' that does not belong to a @NAME@ is copied.
 */
#pragma once

#include "lib/str.h"

struct variable {
	const char *name; /* letters, digits, '_'; a NULL name ends the list */
	const char *value;
};

/* Appends the rendered text to `out`. Aborts on a name that is not in `vars`: a bug. */
void variables_replace(struct buf *out, const char *text, const struct variable *vars);
