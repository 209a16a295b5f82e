/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/access.h. */
#include "pxe/access.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = make_scratch();
	return 0;
}

static int teardown(void **state)
{
	rm_rf_p((char **)state);
	return 0;
}

#define LINE "1700000000.123 172.25.0.11 \"GET /hosts/a.ipxe HTTP/1.1\" 200 1253 0.042"

static void access_line_is_parsed(void **state)
{
	struct access a;

	(void)state;
	assert_int_equal(access_parse(LINE, &a), 0);
	assert_int_equal(a.end_ms, 1700000000123);
	assert_int_equal(a.took_ms, 42);
	assert_int_equal(a.address, 0xac19000b);
	assert_string_equal(a.method, "GET");
	assert_string_equal(a.path, "/hosts/a.ipxe");
	assert_int_equal(a.status, 200);
	assert_int_equal(a.bytes, 1253);
	assert_int_equal(
		access_parse("1.000 1.2.3.4 \"GET /a?b=c HTTP/1.1\" 200 0 0.000", &a), 0);
	assert_string_equal(a.path, "/a");
	assert_string_equal(a.query, "b=c");
	/* Not an HTTP request: nginx logs it all the same. */
	assert_int_equal(access_parse("1.000 1.2.3.4 \"\\x16\\x03\" 400 150 0.000", &a),
			 0);
	assert_string_equal(a.method, "");
	assert_string_equal(a.path, "");
	assert_string_equal(a.query, "");
	assert_int_equal(access_parse("1.000 1.2.3.4 \"\" 400 0 0.000", &a), 0);
}

static void expect_parameter(const char *query, const char *key, const char *want)
{
	_cleanup_free_ char *line = xasprintf(
		"1.000 1.2.3.4 \"GET /strangers.ipxe?%s HTTP/1.1\" 200 1 0.000", query);
	struct access a;
	char out[16];

	assert_int_equal(access_parse(line, &a), 0);
	assert_string_equal(a.path, "/strangers.ipxe");
	if (access_query(&a, key, out, sizeof(out)) != (*want != '\0'))
		fail_msg("'%s' in '%s': %s", key, query, out);
	if (!streq(out, want))
		fail_msg("'%s' in '%s' is '%s', not '%s'", key, query, out, want);
}

static void query_is_decoded(void **state)
{
	static const struct {
		const char *query, *key, *want;
	} cases[] = {
		{"mac=a&serial=b", "mac", "a"},
		{"mac=a&serial=b", "serial", "b"},
		{"mac=a&serial=b", "a", ""},
		{"xmac=a&mac=b", "mac", "b"},
		{"mac=a&mac=b", "mac", "a"},
		{"mac", "mac", ""},
		{"mac=", "mac", ""},
		{"mac=&x=y", "mac", ""},
		{"&&&mac=1", "mac", "1"},
		{"", "mac", ""},
		{"p=A%26B%20%22x", "p", "A&B \"x"},
		{"p=i440FX%20+%20PIIX", "p", "i440FX + PIIX"},
		{"p=\\x22A\\x5CB", "p", "\"A\\B"},
		{"p=100%", "p", "100%"},
		{"p=%4", "p", "%4"},
		{"p=%zz\\xq", "p", "%zz\\xq"},
		{"p=%20%20a%20b%20", "p", "a b"},
		{"p=%20%0a%09", "p", ""},
		{"p=a%0ab%00c%1b[2J", "p", "a b c?[2J"},
		{"p=%c3%a4%c3\\xA4", "p", "\xc3\xa4\xc3\xa4"},
		{"p=%e2%80%aex%ff", "p", "???x?"},
		{"p=0123456789abcdefghi", "p", "0123456789abcde"},
		{"p=0123456789abcd%c3%a4", "p", "0123456789abcd?"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_parameter(cases[i].query, cases[i].key, cases[i].want);
}

/* nginx takes no request line that is as long, but this is not up to the parser. */
static void long_query_is_cut_off(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	struct access a;
	char out[8];

	(void)state;
	buf_puts(&b, "1.000 1.2.3.4 \"GET /s?");
	for (unsigned i = 0; i < 300; i++)
		buf_puts(&b, "a=b&");
	buf_puts(&b, "mac=x HTTP/1.1\" 200 1 0.000");
	assert_int_equal(access_parse(b.p, &a), 0);
	assert_int_equal(strlen(a.query), sizeof(a.query) - 1);
	assert_false(access_query(&a, "mac", out, sizeof(out)));
	assert_true(access_query(&a, "a", out, sizeof(out)));
}

static void bad_access_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		LINE "\n",
		"1700000000 172.25.0.11 \"GET / HTTP/1.1\" 200 1 0.000",
		"1700000000.12 172.25.0.11 \"GET / HTTP/1.1\" 200 1 0.000",
		"1.000 172.25.0 \"GET / HTTP/1.1\" 200 1 0.000",
		"1.000 172.25.0.1 GET / HTTP/1.1 200 1 0.000",
		"1.000 172.25.0.1 \"GET / HTTP/1.1 200 1 0.000",
		"1.000 172.25.0.1 \"GET / HTTP/1.1\" 2000 1 0.000",
		"1.000 172.25.0.1 \"GET / HTTP/1.1\" 200 -1 0.000",
		"1.000 172.25.0.1 \"GET / HTTP/1.1\" 200 1 0.000 more",
		"1.000 172.25.0.1 \"GET / HTTP/1.1\" 200 99999999999999999999 0.000",
	};
	struct access a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(access_parse(lines[i], &a), -EINVAL);
}

static void append(const char *dir, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/access.log", dir);
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void access_log_is_followed(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/access.log", (char *)*state);
	struct tail l = {0};
	struct access a;

	tail_open(&l, path, true);
	assert_int_equal(access_next(&l, &a), 0); /* the file does not exist yet */
	append(*state, LINE "\n" LINE);
	assert_int_equal(access_next(&l, &a), 1);
	assert_int_equal(access_next(&l, &a), 0); /* the line is not complete yet */
	append(*state, "\nrubbish\n" LINE "\n");
	assert_int_equal(access_next(&l, &a), 1);
	assert_int_equal(access_next(&l, &a), 1);
	assert_int_equal(access_next(&l, &a), 0);
	tail_done(&l);
}

static void access_log_is_read_from_its_end(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/access.log", (char *)*state);
	struct tail l = {0};
	struct access a;

	append(*state, LINE "\n");
	tail_open(&l, path, true);
	assert_int_equal(access_next(&l, &a), 0);
	append(*state, LINE "\n");
	assert_int_equal(access_next(&l, &a), 1);
	tail_done(&l);
}

static void turn_of_the_access_log_is_limited(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/access.log", (char *)*state);
	struct tail l = {0};
	struct access a;

	append(*state, LINE "\nrubbish\n" LINE "\n" LINE "\n");
	tail_open(&l, path, false);
	assert_false(tail_turn(&l, strlen(LINE) + 2));
	assert_int_equal(access_next(&l, &a), 1);
	assert_int_equal(access_next(&l, &a), 0); /* one byte of the rubbish */
	assert_true(tail_turn(&l, strlen("ubbish\n" LINE "\n")));
	assert_int_equal(access_next(&l, &a), 1);
	assert_int_equal(access_next(&l, &a), 0);
	assert_true(tail_turn(&l, 1000));
	assert_int_equal(access_next(&l, &a), 1);
	assert_int_equal(access_next(&l, &a), 0);
	assert_false(tail_turn(&l, 1000));
	tail_done(&l);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_line_is_parsed),
		cmocka_unit_test(query_is_decoded),
		cmocka_unit_test(long_query_is_cut_off),
		cmocka_unit_test(bad_access_lines_are_refused),
		T(access_log_is_followed),
		T(access_log_is_read_from_its_end),
		T(turn_of_the_access_log_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
