/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as a table: it is accepted, and is the same when every cell is
 * written in quotation marks and read again, or refused with one complaint.
 */
#include "lib/csv.h"

#include "lib/str.h"
#include "test/fuzz/fuzz-file.h"

static int parse(struct csv *t, const char *text, size_t len, struct diag *d)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return csv_parse(t, copy, len, "fuzz.csv", d);
}

static void append_cell(struct buf *b, const char *s)
{
	buf_puts(b, "\"");
	for (; *s; s++) {
		buf_puts(b, *s == '"' ? "\"" : "");
		buf_add(b, s, 1);
	}
	buf_puts(b, "\"");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_csv_ struct csv t = {0}, again = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};

	if (parse(&t, size ? (const char *)data : "", size, &d) < 0) {
		demand(d.n == 1, "refused with other than one complaint");
		return 0;
	}
	demand(d.n == 0, "read with a complaint");
	for (size_t i = 0; i < t.n; i++) {
		demand(t.rows[i].n > 0, "a row without a cell");
		for (size_t k = 0; k < t.rows[i].n; k++) {
			buf_puts(&b, k ? "," : "");
			append_cell(&b, t.rows[i].cells[k].text);
		}
		buf_puts(&b, "\r\n");
	}
	demand(parse(&again, b.p ? b.p : "", b.len, NULL) == 0, "not read again");
	demand(again.n == t.n, "another number of rows");
	for (size_t i = 0; i < t.n; i++) {
		demand(again.rows[i].n == t.rows[i].n, "another number of cells");
		for (size_t k = 0; k < t.rows[i].n; k++)
			demand(streq(again.rows[i].cells[k].text,
				     t.rows[i].cells[k].text),
			       "another cell");
	}
	return 0;
}
