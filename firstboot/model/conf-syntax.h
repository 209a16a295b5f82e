/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out why libconfig refuses a text. libconfig 1.5 says "syntax error" for nearly
 * everything, with the line of the first token that it cannot use; a missing quote or
 * bracket is often many lines before.
 */
#pragma once

#include "firstboot/model/conf-source.h"

/* Adds the first mistake, "FILE:LINE: ...", with the line and a caret. Returns -1, or 0
 * when no mistake is found. */
int conf_syntax_report(const struct conf_lines *lines, struct diag *d);

/* Adds "FILE:LINE: MESSAGE" about a line of the text, and shows it. Returns -1. */
int conf_syntax_report_line(const struct conf_lines *lines, unsigned line,
			    const char *message, struct diag *d);
