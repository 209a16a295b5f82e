/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: a heading, and columns as wide as their widest cell with two spaces
 * between them. Cells may contain text from machines on the network: they are cleaned as
 * lib/text.h says, so no cell can control the terminal or begin a line, and cut with
 * "..." at 256 bytes: a column is as wide as its widest cell in every row.
 */
#pragma once

#include "lib/str.h"

struct table_column {
	const char *title;
	bool right; /* numbers: aligned to the right */
};

struct table {
	const struct table_column *columns; /* not owned */
	size_t n_columns;
	char **cells; /* row by row */
	size_t n;
};

void table_init(struct table *t, const struct table_column *columns, size_t n);
void table_done(struct table *t);
#define _cleanup_table_ _cleanup_(table_done)

/* Adds the next cell, row by row. NULL and "" are printed as "-". */
void table_add(struct table *t, const char *cell);
void table_addf(struct table *t, const char *fmt, ...) _printf_(2, 3);

/* Adds a time in seconds: "31.2" for 31200 ms. */
void table_add_seconds(struct table *t, uint64_t ms);

/* Appends the heading and the rows, a line each, without blanks at the end of a line. An
 * incomplete last row is filled with "-". */
void table_render(const struct table *t, struct buf *out);
