/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/rack-range.h. */
#include "pxe/rack-range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Checks that the text has exactly these values, which stand between blanks. */
static void has(const char *text, const char *want)
{
	_cleanup_rack_range_ struct rack_range r = {0};
	_cleanup_free_ char *wrong = rack_range_parse(&r, text);
	_cleanup_buf_ struct buf b = {0};

	assert_null(wrong);
	for (size_t i = 0; i < r.count; i++) {
		_cleanup_free_ char *value = rack_range_at(&r, i);

		buf_printf(&b, "%s%s", i ? " " : "", value);
	}
	assert_string_equal(b.p, want);
}

static void is_wrong(const char *text, const char *want)
{
	struct rack_range r = {0};
	_cleanup_free_ char *wrong = rack_range_parse(&r, text);

	assert_string_equal(wrong ? wrong : "accepted", want);
	assert_null(r.parts);
	assert_null(r.rest);
}

static void ranges_count(void **state _unused_)
{
	has("node-[1-3]", "node-1 node-2 node-3");
	has("node-[8-11]x", "node-8x node-9x node-10x node-11x");
	has("[5]", "5");
	has("n[1,4,6-7]", "n1 n4 n6 n7");
	has("n[0-2,4,6,8-9,20-21]", "n0 n1 n2 n4 n6 n8 n9 n20 n21");
	has("10.0.[0-1].[1-2]", "10.0.0.1 10.0.0.2 10.0.1.1 10.0.1.2");
	has("r[1-2][1-2]", "r11 r12 r21 r22");
}

static void zeros_are_kept(void **state _unused_)
{
	has("n[08-10]", "n08 n09 n10");
	has("n[098-101]", "n098 n099 n100 n101");
	has("n[0-1]", "n0 n1");
	has("n[00-01,7]", "n00 n01 n07");
}

static void other_brackets_are_text(void **state _unused_)
{
	struct rack_range r = {0};

	has("http://[2001:db8::1]/", "http://[2001:db8::1]/");
	has("a[b]c[]", "a[b]c[]");
	has("a[1-2", "a[1-2");
	has("[x][1-2]", "[x]1 [x]2");
	assert_null(rack_range_parse(&r, "a[b]"));
	assert_int_equal(r.n, 0);
	assert_int_equal(r.count, 1);
	rack_range_done(&r);
}

static void addresses_of_cards_are_hexadecimal(void **state _unused_)
{
	has("52:54:00:25:00:[08-0b]", "52:54:00:25:00:08 52:54:00:25:00:09 "
				      "52:54:00:25:00:0a 52:54:00:25:00:0b");
	has("0:0:0:0:[F-10]:1", "0:0:0:0:f:1 0:0:0:0:10:1");
	has("a:b:c:d:e:[a,1]", "a:b:c:d:e:a a:b:c:d:e:1");
	has("a:b:c:d:[a-b]", "a:b:c:d:[a-b]");
	has("x:b:c:d:e:[1-2]", "x:b:c:d:e:1 x:b:c:d:e:2");
	is_wrong("0:0:0:0:0:[1f-1e]",
		 "[1f-1e] counts down: write the smaller number first");
	is_wrong("0:0:0:0:0:[00000000-1]",
		 "[00000000-1] is no range of hexadecimal numbers with at most seven "
		 "digits, like [01-1f]");
}

static void mistakes_are_told(void **state _unused_)
{
	is_wrong("n[9-1]", "[9-1] counts down: write the smaller number first");
	is_wrong("n[1-]",
		 "[1-] is no range of numbers with at most nine digits, like [1-40]");
	is_wrong("n[-1]",
		 "[-1] is no range of numbers with at most nine digits, like [1-40]");
	is_wrong("n[1,]",
		 "[1,] is no range of numbers with at most nine digits, like [1-40]");
	is_wrong("n[1-2-3]", "[1-2-3] is no range of numbers with at most nine digits, "
			     "like [1-40]");
	is_wrong("n[1-10000000000]", "[1-10000000000] is no range of numbers with at "
				     "most nine digits, like [1-40]");
	is_wrong("n[1-1000001]", "has more than 1000000 values");
	is_wrong("n[1-1000][1-1001]", "has more than 1000000 values");
	is_wrong("[1-2]n[3-2]", "[3-2] counts down: write the smaller number first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_count),
		cmocka_unit_test(zeros_are_kept),
		cmocka_unit_test(other_brackets_are_text),
		cmocka_unit_test(addresses_of_cards_are_hexadecimal),
		cmocka_unit_test(mistakes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
