/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a file with a caret below one of its columns, for messages about a mistake in
 * the file:
 *
 *	master = 172.25.0.10;
 *	         ^
 *
 * The text is cleaned as lib/text.h says. The line is cut around the column when it is
 * long, blanks before it are left out, and a tab becomes a blank. A character that
 * terminals show in two columns counts as two (East Asian Wide and Fullwidth of
 * EastAsianWidth.txt, by blocks), a combining mark as none.
 */
#pragma once

#include "lib/str.h"

#define EXCERPT_COLUMNS 72 /* of the line and of the caret, the dots of a cut included */

/* Returns the line of `text` that contains the offset `at` (at most `len`), a newline,
 * and the caret, or NULL when the line is blank. Owned by the caller. */
char *excerpt(const char *text, size_t len, size_t at);
