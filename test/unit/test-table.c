/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/table.h, pxe/variables.h, lib/intern.h. */
#include "pxe/table.h"

#include "lib/intern.h"
#include "pxe/variables.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- tables ----------------------------------------------------------------------- */

static const struct table_column columns[] = {
	{"NAME", false}, {"SECONDS", true}, {"LAST", false}};

static void table_columns_are_aligned(void **state)
{
	_cleanup_table_ struct table t = {0};
	_cleanup_buf_ struct buf b = {0};

	(void)state;
	table_init(&t, columns, ARRAY_SIZE(columns));
	table_add(&t, "a-long-name");
	table_add_seconds(&t, 31249);
	table_add(&t, "x");
	table_add(&t, "b");
	table_add_seconds(&t, 99950);
	table_add(&t, NULL);
	table_add(&t, "gr\xc3\xbc\xc3\x9f"); /* the width is counted in characters */
	table_render(&t, &b);
	assert_string_equal(b.p, "NAME         SECONDS  LAST\n"
				 "a-long-name     31.2  x\n"
				 "b              100.0  -\n"
				 "gr\xc3\xbc\xc3\x9f               -  -\n");
}

/* Text from a node cannot control the operator's terminal. */
static void table_has_no_control_characters(void **state)
{
	static const struct {
		const char *cell, *want;
	} cases[] = {
		{"\033[31mred", "?[31mred"},
		{"tab\there\n", "tab here "},
		{"\x7f", "?"},
		{"\xc2\x9b"
		 "31m",
		 "??31m"},                        /* C1: another CSI */
		{"\xff\xfe", "??"},               /* not UTF-8 */
		{"\xc0\xaf", "??"},               /* overlong */
		{"\xed\xa0\x80", "???"},          /* a surrogate */
		{"\xf4\x90\x80\x80", "????"},     /* beyond the last */
		{"\xe2\x82", "??"},               /* cut off */
		{"\xe2\x82\xac", "\xe2\x82\xac"}, /* a euro */
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_table_ struct table t = {0};

		table_init(&t, columns, 1);
		table_add(&t, cases[i].cell);
		assert_string_equal(t.cells[0], cases[i].want);
	}
}

static void long_cell_is_cut(void **state)
{
	char text[400], want[257];
	_cleanup_table_ struct table t = {0};

	(void)state;
	table_init(&t, columns, 1);
	memset(text, 'x', sizeof(text));
	memset(want, 'x', sizeof(want));
	memcpy(text + 252, "\xe2\x82\xac", 3); /* a euro */
	memcpy(want + 252, "...", 4);
	text[256] = '\0';
	table_add(&t, text);
	assert_string_equal(t.cells[0], text);
	text[256] = 'x';
	text[399] = '\0';
	table_add(&t, text);
	assert_string_equal(t.cells[1], want);
}

static void empty_table_has_a_header(void **state)
{
	_cleanup_table_ struct table t = {0};
	_cleanup_buf_ struct buf b = {0};

	(void)state;
	table_init(&t, columns, ARRAY_SIZE(columns));
	table_render(&t, &b);
	assert_string_equal(b.p, "NAME  SECONDS  LAST\n");
}

/* --- templates -------------------------------------------------------------------- */

static void template_variables_are_filled_in(void **state)
{
	static const struct variable vars[] = {
		{"a", "1"}, {"b_2", "two\nlines"}, {"none", ""}, {NULL, NULL}};
	_cleanup_buf_ struct buf b = {0};

	(void)state;
	variables_replace(&b,
			  "@a@@a@ x@a@y @b_2@\n"
			  "#@ the template's own\n"
			  "\t@none@\n"
			  "kept @none@\n"
			  "\n"
			  "op@desk @ @@ @no such@\n",
			  vars);
	assert_string_equal(b.p, "11 x1y two\nlines\n"
				 "kept \n"
				 "\n"
				 "op@desk @ @@ @no such@\n");
}

static void equal_texts_get_one_number(void **state)
{
	_cleanup_intern_ struct intern in = {0};
	char text[16];
	bool is_new;
	size_t n = 7;

	(void)state;
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "%zu", i * 7919 % 1000);
			assert_int_equal(intern(&in, text, &is_new), i);
			assert_int_equal(is_new, round == 0);
		}
	assert_int_equal(in.n, 1000);
	assert_string_equal(in.texts[1], "919");
	assert_true(intern_find(&in, "919", &n));
	assert_int_equal(n, 1);
	assert_true(intern_find(&in, "0", NULL));
	assert_false(intern_find(&in, "1000", &n));
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_columns_are_aligned),
		cmocka_unit_test(table_has_no_control_characters),
		cmocka_unit_test(long_cell_is_cut),
		cmocka_unit_test(empty_table_has_a_header),
		cmocka_unit_test(template_variables_are_filled_in),
		cmocka_unit_test(equal_texts_get_one_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
