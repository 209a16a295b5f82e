/* SPDX-License-Identifier: Apache-2.0 */
/* lib/json.h: its output is compared with literals and read back by jansson. */
#include "lib/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void layout_is_indented(void **state)
{
	static char *const units[] = {(char *)"etcd", (char *)"kubelet", NULL};
	_cleanup_json_ struct json j = {0};
	_cleanup_free_ char *got = NULL;

	(void)state;
	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "host", "node-1");
	json_str(&j, "why", NULL);
	json_bool(&j, "ok", true);
	json_bool(&j, "bad", false);
	json_u64(&j, "big", UINT64_MAX);
	json_strv(&j, "units", units);
	json_strv(&j, "none", NULL);
	json_open(&j, "empty", '{');
	json_close(&j, '}');
	json_open(&j, "phases", '[');
	for (uint64_t i = 0; i < 2; i++) {
		json_open(&j, NULL, '{');
		json_u64(&j, "ms", i);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	got = json_take(&j);
	assert_string_equal(got, "{\n"
				 "  \"format\": 1,\n"
				 "  \"host\": \"node-1\",\n"
				 "  \"why\": null,\n"
				 "  \"ok\": true,\n"
				 "  \"bad\": false,\n"
				 "  \"big\": 18446744073709551615,\n"
				 "  \"units\": [\n"
				 "    \"etcd\",\n"
				 "    \"kubelet\"\n"
				 "  ],\n"
				 "  \"none\": [],\n"
				 "  \"empty\": {},\n"
				 "  \"phases\": [\n"
				 "    {\n"
				 "      \"ms\": 0\n"
				 "    },\n"
				 "    {\n"
				 "      \"ms\": 1\n"
				 "    }\n"
				 "  ]\n"
				 "}\n");
}

static void writer_can_be_used_again(void **state)
{
	_cleanup_json_ struct json j = {0};
	_cleanup_free_ char *a = NULL, *b = NULL;

	(void)state;
	json_str(&j, NULL, "x");
	a = json_take(&j);
	assert_string_equal(a, "\"x\"\n");
	json_open(&j, NULL, '[');
	json_close(&j, ']');
	b = json_take(&j);
	assert_string_equal(b, "[]\n");
}

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void strings_are_escaped(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"", "\"\"\n"},
		{"a/b", "\"a/b\"\n"},
		{"\"\\", "\"\\\"\\\\\"\n"},
		{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"\n"},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"\n"},
		/* valid UTF-8 that a terminal obeys or does not show */
		{"\xc2\x80 \xc2\x9f", "\"\\u0080 \\u009f\"\n"},
		{"\xe2\x80\xae \xe2\x80\xa8", "\"\\u202e \\u2028\"\n"},
		{"\xf3\xa0\x81\xa1", "\"\\udb40\\udc61\"\n"},
		/* valid, the shortest and longest code of every length; letters that are
		 * written from right to left are escaped */
		{"\xc2\xa0 \xdf\xbf", "\"\xc2\xa0 \\u07ff\"\n"},
		{"\xe0\xa0\x80 \xef\xbf\xbf", "\"\\u0800 \xef\xbf\xbf\"\n"},
		{"\xed\x9f\xbf \xee\x80\x80", "\"\xed\x9f\xbf \xee\x80\x80\"\n"},
		{"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
		 "\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"\n"},
		/* not valid: lone byte, overlong, surrogate, too high, cut off */
		{"a\x80z", "\"a" BAD "z\"\n"},
		{"\xc0\x80", "\"" BAD BAD "\"\n"},
		{"\xc1\xbf", "\"" BAD BAD "\"\n"},
		{"\xe0\x9f\xbf", "\"" BAD BAD BAD "\"\n"},
		{"\xed\xa0\x80", "\"" BAD BAD BAD "\"\n"},
		{"\xf0\x8f\xbf\xbf", "\"" BAD BAD BAD BAD "\"\n"},
		{"\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"\n"},
		{"\xf5\xff\xfe", "\"" BAD BAD BAD "\"\n"},
		{"\xe2\x82", "\"" BAD BAD "\"\n"},
		{"\xf0\x9f\x98", "\"" BAD BAD BAD "\"\n"},
		{"\xc3", "\"" BAD "\"\n"},
		{"\xc3"
		 "a",
		 "\"" BAD "a\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ struct json j = {0};
		_cleanup_free_ char *got = NULL;

		json_str(&j, NULL, cases[i].in);
		got = json_take(&j);
		assert_string_equal(got, cases[i].want);
	}
}

/* Every sequence of two bytes, as value and as key, is read back by a strict reader. */
static void any_bytes_are_read_back(void **state)
{
	(void)state;
	for (unsigned a = 1; a < 256; a++) {
		_cleanup_json_ struct json j = {0};
		_cleanup_free_ char *text = NULL;
		json_error_t error;
		json_t *root;

		json_open(&j, NULL, '{');
		for (unsigned b = 1; b < 256; b++) {
			char raw[] = {'k', (char)a, (char)b, '\0'};

			json_str(&j, raw, raw + 1);
		}
		json_close(&j, '}');
		text = json_take(&j);
		root = json_loads(text, 0, &error);
		if (!root)
			fail_msg("%s: %s", error.text, text);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_is_indented),
		cmocka_unit_test(writer_can_be_used_again),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(any_bytes_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
