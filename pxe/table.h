/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: a heading, columns as wide as their widest cell, two spaces
 * between. Cells may hold what a node on the network wrote: control characters and bytes
 * that are not UTF-8 are printed as '?', so that no cell can drive the terminal.
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

/* The text as a cell has it. Owned. */
char *table_clean(const char *text);

void table_init(struct table *t, const struct table_column *columns, size_t n);
void table_done(struct table *t);
#define _cleanup_table_ _cleanup_(table_done)

/* The next cell, row by row. NULL and "" are printed as "-". */
void table_add(struct table *t, const char *cell);
void table_addf(struct table *t, const char *fmt, ...) _printf_(2, 3);

/* "31.2" for 31200 ms: a cell for times in seconds. */
void table_add_seconds(struct table *t, uint64_t ms);

/* Heading and rows, each ended by a newline, no blanks at the end of a line. A last row
 * that was left unfinished is filled with "-". */
void table_render(const struct table *t, struct buf *out);
