/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from elsewhere (names in an image, a machine's report, a tool's output) in what
 * people read. Such a text must not control the terminal, nor look like another text, nor
 * begin a line of its own. Every writer of lib/ (err, log, out) and the table use this
 * file, so that their callers pass such texts as they are; the JSON writer escapes the
 * same characters instead of replacing them, because a program reads what it writes.
 *
 * Replaced are, by '?' for each byte (Unicode 15):
 *	bytes that are not UTF-8 (RFC 3629): an 8-bit terminal takes 0x9b for ESC [
 *	controls (category Cc): C0, DEL, and C1, whose U+009B is ESC [ (ECMA-48)
 *	line and paragraph separators (Zl, Zp: U+2028, U+2029): some viewers end the
 *		line there
 *	characters that are not shown (Default_Ignorable_Code_Point): among them are those
 *		that reverse the direction of what follows (U+202E and its relatives), and
 *		zero-width ones, with which two different names look the same
 *	all others of category Cf: interlinear annotations (U+FFF9 to U+FFFB), and signs
 *		that format their neighbours in Arabic, Kaithi and Egyptian text
 *	the blank braille pattern (U+2800)
 *	letters and numbers of scripts that are written from right to left (Hebrew, Arabic
 *		and others): a terminal that orders them also moves what stands between
 *		them, so that a message would say something else
 * Newlines and tabs become blanks. Emoji that are joined by such characters fall apart,
 * which is accepted. Letters that look alike are not told apart. Spaces that
 * are not U+0020 stay.
 */
#pragma once

#include "lib/str.h"

/* Returns the length of the UTF-8 sequence at `s` and sets *ret_code to its code point.
 * Returns 0 if there is none, with *ret_code unchanged. `ret_code` may be NULL. */
size_t text_sequence(const char *s, uint32_t *ret_code);

/* Checks if a code point is one of those that are replaced. */
bool text_is_hidden(uint32_t code);

/* Replaces such characters in place; the length stays the same. */
void text_clean(char *s);
/* Does the same, but keeps newlines and tabs: for a text whose lines are the program's
 * own. */
void text_clean_lines(char *s);
/* Returns a cleaned copy. Owned by the caller. */
char *text_cleaned(const char *s);

/* Append text, cleaned as a whole; text_line() also ends the line. */
void text_append(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void text_line(struct buf *b, const char *fmt, ...) _printf_(2, 3);
