/* SPDX-License-Identifier: Apache-2.0 */
/* firstboot's JSON scanner, and the comparison of a value in etcd with the wanted one. */
#include "firstboot/feature/etcd.h"
#include "firstboot/json-scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_wanted_members_are_added(void **state _unused_)
{
	static const struct {
		const char *value, *want, *better; /* NULL: nothing to change */
	} cases[] = {
		{NULL, "64512", "64512"},
		{"64512", "64512", NULL},
		{"64513", "64512", "64512"},
		{"{\"a\": 1}", "64512", "64512"},
		{NULL, "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"a\":1}", "{\"a\": 1}", NULL},
		{"{\"a\": \"1\"}", "{\"a\": 1}", NULL},
		{"{\"a\": \"01\"}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"a\": true}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": 2}", "{\"a\": 1}", "{\"b\": 2, \"a\": 1}"},
		{"{\"a\": 2, \"b\": 2}", "{\"a\": 1}", "{\"a\": 1, \"b\": 2}"},
		{"{}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{ }", "{}", NULL},
		/* Members that stay keep their spelling. */
		{" {\"b\" :[ 1,{\"c\":\"}\\\"\"} ] , \"d\":null}\n", "{\"a\": 1}",
		 "{\"b\": [ 1,{\"c\":\"}\\\"\"} ], \"d\": null, \"a\": 1}"},
		{"{\"a\":[true,-1.5e+3,\"x y\"]}", "{\"a\": [true, -1.5e+3, \"x y\"]}",
		 NULL},
		{"{\"a\":[\"x  y\"]}", "{\"a\": [\"x y\"]}", "{\"a\": [\"x y\"]}"},
		/* Not JSON, or not an object. */
		{"[1]", "{\"a\": 1}", "{\"a\": 1}"},
		{"{", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": 2,}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\" 2}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": 02}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": \"\\x\"}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": \"\\u12\"}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": \"\n\"}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": [}", "{\"a\": 1}", "{\"a\": 1}"},
		{"{\"b\": 2} x", "{\"a\": 1}", "{\"a\": 1}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *better = NULL;

		assert_int_equal(etcd_contains(cases[i].value, cases[i].want, &better),
				 !cases[i].better);
		if (cases[i].better)
			assert_string_equal(better, cases[i].better);
		else
			assert_null(better);
		assert_int_equal(etcd_contains(cases[i].value, cases[i].want, NULL),
				 !cases[i].better);
	}
}

static void assert_text(const char *json, const char *want)
{
	struct json_piece p;
	_cleanup_free_ char *text = NULL;

	assert_true(json_scan(json, &p));
	text = json_text(p);
	if (want)
		assert_string_equal(text, want);
	else
		assert_null(text);
}

static void test_strings_are_decoded(void **state _unused_)
{
	char deep[256] = "";

	assert_text("\"\"", "");
	assert_text(" \"a\\\"\\\\\\/\\b\\f\\n\\r\\t\" ", "a\"\\/\b\f\n\r\t");
	assert_text("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
		    "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_text("\"\\u0000\"", NULL);
	assert_text("\"\\ud83d\"", NULL);
	assert_text("\"\\ud83dx\\ude00\"", NULL);
	assert_text("\"\\ude00\"", NULL);
	assert_text("1", NULL);
	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	assert_false(json_scan(deep, &(struct json_piece){NULL, 0}));
	deep[32] = ' ';
	deep[33] = ' ';
	assert_true(json_scan(deep, &(struct json_piece){NULL, 0}));
}

/* Returns the elements of an array, joined by "|". Owned by the caller. */
static char *elements(const char *json)
{
	_cleanup_buf_ struct buf b = {0};
	struct json_piece array, e;
	size_t pos = 0;

	assert_true(json_scan(json, &array));
	while (json_next_element(array, &pos, &e)) {
		buf_add(&b, e.at, e.len);
		buf_puts(&b, "|");
	}
	return b.p ? buf_take(&b) : xstrdup("");
}

static void test_elements_are_listed(void **state _unused_)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
		{"[]", ""},
		{" [ ] ", ""},
		{"[1]", "1|"},
		{"[ 1 , \"a,]\" , [ 2, 3 ] , {\"b\": [4]} ]",
		 "1|\"a,]\"|[ 2, 3 ]|{\"b\": [4]}|"},
		{"{\"a\": 1}", ""},
		{"\"[1]\"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = elements(cases[i].json);

		assert_string_equal(got, cases[i].want);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted_members_are_added),
		cmocka_unit_test(test_strings_are_decoded),
		cmocka_unit_test(test_elements_are_listed),
	};

	return cmocka_run_group_tests_name("firstboot-json", tests, NULL, NULL);
}
