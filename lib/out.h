/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output: the results that a command prints. No other file of the program prints
 * there, but for --help; so no text from elsewhere reaches the terminal as it is (see
 * lib/text.h). command_main() reports a failure to write.
 */
#pragma once

#include "lib/err.h"

/* Prints one line. The text needs no newline at its end; one inside becomes a blank. */
void out_line(const char *fmt, ...) _printf_(1, 2);

/* Prints a text of whole lines: a table, JSON, or lines made by text_line(). */
void out_text(const char *text);

/* Writes out what was printed so far. Returns 0 or -1. */
int out_flush(struct err *e) _must_check_;

/* Sets the size of the terminal that standard output is. Returns false if it is none. */
bool out_terminal(unsigned *ret_lines, unsigned *ret_columns);

/* Replaces what that terminal shows by a text of whole lines: one less than it has, each
 * cut to its width. A character counts as one column, wide ones too. */
void out_screen(const char *text, unsigned lines, unsigned columns);
