/* SPDX-License-Identifier: Apache-2.0 */
/* The names and the syntax of units (systemd.unit(5), systemd.syntax(7)). */
#pragma once

#include "lib/str.h"

/* Returns true for the path of a unit's file, in a folder of units itself. */
bool unit_text_is(const char *path);

/* Returns the template of an instance: "getty@.service" for "getty@tty1.service". NULL
 * for any other name. Owned by the caller. */
char *unit_text_template(const char *name);

/* Returns the values of all lines "key=..." of a section, without blanks around them; one
 * may be empty. A line that ends in '\' continues on the next. Owned by the caller. */
char **unit_text_values(const char *text, const char *section, const char *key);

/* Replaces the specifiers %i, %p, %n and %% in a value of the unit `name`. Returns NULL
 * if there is another. Owned by the caller. */
char *unit_text_expand(const char *s, const char *name);
