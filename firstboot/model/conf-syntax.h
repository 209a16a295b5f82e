/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out why libconfig refuses a text. libconfig 1.5 says "syntax error" for nearly
 * everything, with the line of the first token that it cannot use; a missing quote or
 * bracket is often many lines before.
 */
#pragma once

#include "lib/err.h"

/*
 * Adds the first mistake, "NAME:LINE: ...", with the line and a caret. The text ends with
 * a NUL. Returns -1, or 0 when no mistake is found.
 */
int conf_syntax_report(const char *text, size_t len, const char *name, struct diag *d);

/* Adds "NAME:LINE: MESSAGE" with the line. Returns -1. */
int conf_syntax_report_line(const char *text, size_t len, const char *name, unsigned line,
			    const char *message, struct diag *d);
