/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises texts in other languages and encodings than libconfig's, for messages. */
#pragma once

#include "lib/str.h"

/* Returns the encoding that the first bytes are a mark of, and that rackstrap does not
 * read ("UTF-16"), or NULL. */
const char *conf_encoding(const char *text, size_t len);

/* Returns the language that a text is written in ("JSON"), or NULL when it is not one of
 * those that are known. For a text that libconfig has refused. */
const char *conf_language(const char *text, size_t len);

/*
 * Describes the character at `s` when it looks like a quotation mark or a blank but is
 * none, or is not shown, and says what to write. Returns NULL for other characters. Owned
 * by the caller. `s` ends with a NUL.
 */
char *conf_character(const char *s);

/* Returns the length of a typographic quotation mark at `s`, or 0. */
size_t conf_smart_quote(const char *s);
