/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/excerpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Checks the excerpt at the place that '|' marks in `text`, which is left out. */
static void shows(const char *text, const char *want)
{
	size_t at = strcspn(text, "|");
	_cleanup_free_ char *plain = xstrdup(text), *got = NULL;

	memmove(plain + at, plain + at + 1, strlen(plain + at));
	got = excerpt(plain, strlen(plain), at);
	if (!want)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

static void test_caret_is_below_its_column(void **state _unused_)
{
	shows("a = |x;\n", "a = x;\n    ^");
	shows("a = x;\nb = |y;\nc", "b = y;\n    ^");
	shows("|a", "a\n^");
	shows("a|", "a\n ^");
	shows("a = 1|\r\nb", "a = 1\n     ^");
	shows("a |  ", "a\n ^");
	shows("|  a", "a\n^");
	shows("\t\ta\t=\t|x", "a = x\n    ^");
	shows("  \t|\n", NULL);
	shows("|", NULL);
}

static void test_columns_are_those_of_a_terminal(void **state _unused_)
{
	shows("\xe6\x97\xa5\xe6\x9c\xac = |x", "\xe6\x97\xa5\xe6\x9c\xac = x\n       ^");
	shows("e\xcc\x81 = |x", "e\xcc\x81 = x\n    ^");
	shows("\xf0\x9f\x98\x80 = |x", "\xf0\x9f\x98\x80 = x\n     ^");
	shows("\xc3\xa9 = |x", "\xc3\xa9 = x\n    ^");
}

static void test_text_is_cleaned(void **state _unused_)
{
	_cleanup_free_ char *nul = NULL;

	shows("\x1b[2J = |x", "?[2J = x\n       ^");
	shows("\xff = |x", "? = x\n    ^");
	shows("\xe2\x80\xae = |x", "??? = x\n      ^"); /* U+202E */
	shows("a\xe2\x80|", "a??\n   ^");               /* a sequence that is cut */
	nul = excerpt("a\0b", 3, 2);
	assert_string_equal(nul, "a?b\n  ^");
}

static void test_long_lines_are_cut_around_the_column(void **state _unused_)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_free_ char *first = NULL, *middle = NULL, *last = NULL;

	for (unsigned i = 0; i < 100; i++)
		buf_printf(&b, "%02u ", i);
	buf_puts(&b, "x");
	first = excerpt(b.p, b.len, 3);
	assert_string_equal(first,
			    "00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 "
			    "18 19 20 21 ...\n   ^");
	middle = excerpt(b.p, b.len, 150);
	assert_string_equal(middle,
			    "...34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 "
			    "52 53 54 55 ...\n"
			    "                                                   ^");
	last = excerpt(b.p, b.len, b.len);
	assert_string_equal(last, "...4 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 x\n"
				  "                                                   ^");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_caret_is_below_its_column),
		cmocka_unit_test(test_columns_are_those_of_a_terminal),
		cmocka_unit_test(test_text_is_cleaned),
		cmocka_unit_test(test_long_lines_are_cut_around_the_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
