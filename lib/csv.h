/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads tables of comma-separated values, RFC 4180: a record is a line, a field with a
 * comma, a quotation mark or a line end in it stands in quotation marks, and "" in such a
 * field is one of them. Lines may end with CRLF or LF. A byte order mark before the first
 * field is skipped, and so are lines without a character.
 *
 * Beyond the RFC, a file is refused when it cannot be what was meant: text before or
 * behind a quoted field, a quotation mark in another field, a CR without an LF, a control
 * character, bytes that are not UTF-8.
 */
#pragma once

#include "lib/err.h"

struct csv_cell {
	const char *text; /* NUL-terminated, owned by the table */
	unsigned line;    /* from 1; of the file */
	unsigned column;  /* from 1; in bytes */
};

struct csv_row {
	struct csv_cell *cells;
	size_t n;
	unsigned line; /* of its first cell */
};

struct csv {
	char *text; /* the cells are in it */
	struct csv_cell *cells;
	struct csv_row *rows;
	size_t n; /* rows; they may differ in length */
};

/* Parses a text, which it takes: `text` has `len` bytes and a NUL behind them, and is
 * freed by csv_done(). `name` is the file's in complaints. Returns 0, or -1 with a
 * complaint about the first mistake. */
int csv_parse(struct csv *ret, char *text, size_t len, const char *name,
	      struct diag *d) _must_check_;
void csv_done(struct csv *t);
#define _cleanup_csv_ _cleanup_(csv_done)
