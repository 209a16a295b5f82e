/* SPDX-License-Identifier: Apache-2.0 */
/* lib/csv.h. */
#include "lib/csv.h"

#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int parse(struct csv *t, const char *text, size_t len, struct diag *d)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return csv_parse(t, copy, len, "t.csv", d);
}

/* Checks the cells: rows are separated by '/', cells by '|'. */
static void has(const char *text, const char *want)
{
	_cleanup_csv_ struct csv t = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};

	assert_int_equal(parse(&t, text, strlen(text), &d), 0);
	assert_int_equal(d.n, 0);
	buf_puts(&b, "");
	for (size_t i = 0; i < t.n; i++) {
		buf_puts(&b, i ? "/" : "");
		for (size_t k = 0; k < t.rows[i].n; k++)
			buf_printf(&b, "%s%s", k ? "|" : "", t.rows[i].cells[k].text);
	}
	assert_string_equal(b.p ? b.p : "", want);
}

static void refuses(const char *text, size_t len, const char *want, unsigned column)
{
	struct csv t = {0};
	_cleanup_diag_ struct diag d = {0};

	assert_int_equal(parse(&t, text, len, &d), -1);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.lines[0], want);
	assert_int_equal(d.about[0].at.column, column);
	assert_null(t.text);
}
#define REFUSES(text, want, column) refuses(text, sizeof(text) - 1, want, column)

static void records_are_read(void **state _unused_)
{
	has("a,b\n1,2\n", "a|b/1|2");
	has("a,b\r\n1,2\r\n", "a|b/1|2");
	has("a,b\n1,2", "a|b/1|2");
	has("", "");
	has("\n\r\n", "");
	has("a\n\n\nb\n", "a/b");
	has("a,\n,b\n,\n", "a|/|b/|");
	has("a,b,", "a|b|");
	has(" a , b\n", " a | b");
}

static void quoted_cells_are_read(void **state _unused_)
{
	has("\"a\",\"b\"\n", "a|b");
	has("\"a,b\"\n", "a,b");
	has("\"say \"\"hi\"\"\"\r\nx\n", "say \"hi\"/x");
	has("\"two\nlines\",x\n", "two\nlines|x");
	has("\"\"\n", "");
	has("\"\"\"\"", "\"");
	has("\"\",\"\"", "|");
}

static void the_byte_order_mark_is_skipped(void **state _unused_)
{
	_cleanup_csv_ struct csv t = {0};
	static const char text[] = "\xef\xbb\xbfname,mac\r\nn1,x\r\n";

	has(text, "name|mac/n1|x");
	assert_int_equal(parse(&t, text, strlen(text), NULL), 0);
	assert_int_equal(t.rows[0].cells[0].column, 1);
}

static void cells_know_their_places(void **state _unused_)
{
	_cleanup_csv_ struct csv t = {0};
	static const char text[] = "ab,\"c\nd\",e\n\nf,gh\n";

	assert_int_equal(parse(&t, text, strlen(text), NULL), 0);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.rows[0].cells[1].line, 1);
	assert_int_equal(t.rows[0].cells[1].column, 4);
	assert_int_equal(t.rows[0].cells[2].line, 2);
	assert_int_equal(t.rows[0].cells[2].column, 4);
	assert_int_equal(t.rows[1].line, 4);
	assert_int_equal(t.rows[1].cells[1].column, 3);
}

static void mistakes_have_a_place(void **state _unused_)
{
	REFUSES("a\nb\"c\"\n",
		"t.csv:2: a quotation mark is in the middle of a cell: write the whole "
		"cell in quotation marks, and this one twice",
		2);
	REFUSES("a\n\"b\"c\n",
		"t.csv:2: text follows the quotation mark that ends a cell: write a "
		"comma before it, or the quotation mark twice",
		4);
	REFUSES("a\nx,\"b\n\n", "t.csv:2: a cell has no quotation mark at its end", 3);
	REFUSES("a\rb\r",
		"t.csv:1: a line ends with a carriage return alone: save the table with "
		"line ends of Unix or Windows",
		2);
	REFUSES("a\nb\0c\n", "t.csv:2: a control character (0x00)", 2);
	REFUSES("a\nb,\x1b[0m\n", "t.csv:2: a control character (0x1b)", 3);
	REFUSES("a\nM\xfcller\n",
		"t.csv:2: the byte 0xfc is not UTF-8: save the table as \"CSV UTF-8\"",
		2);
	REFUSES("\xff\xfe"
		"a\0",
		"t.csv:1: the byte 0xff is not UTF-8: save the table as \"CSV UTF-8\"",
		1);
}

static void a_large_cell_is_read(void **state _unused_)
{
	_cleanup_csv_ struct csv t = {0};
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "name,\"");
	for (size_t i = 0; i < 1 << 20; i++)
		buf_puts(&b, "x");
	buf_puts(&b, "\",end\n");
	assert_int_equal(parse(&t, b.p, b.len, NULL), 0);
	assert_int_equal(strlen(t.rows[0].cells[1].text), 1 << 20);
	assert_string_equal(t.rows[0].cells[2].text, "end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(quoted_cells_are_read),
		cmocka_unit_test(the_byte_order_mark_is_skipped),
		cmocka_unit_test(cells_know_their_places),
		cmocka_unit_test(mistakes_have_a_place),
		cmocka_unit_test(a_large_cell_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
