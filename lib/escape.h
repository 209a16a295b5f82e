/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts from elsewhere in HTML and SVG (XML 1.0): the characters with a meaning there
 * become references, those that are hidden or control something '?' (lib/text.h), so that
 * a text stays a text between tags and inside a quoted attribute.
 */
#pragma once

#include "lib/str.h"

/* Appends the text. NULL appends nothing, here and in escape_html_cut(). */
void escape_html(struct buf *b, const char *s);

/* Appends at most `max` characters, the last of them "…" if the text is longer. */
void escape_html_cut(struct buf *b, const char *s, size_t max);

/* Appends the text as a label's value in Prometheus' text format, without the quotes:
 * backslash and quote are escaped, a newline becomes a blank. */
void escape_label(struct buf *b, const char *s);
