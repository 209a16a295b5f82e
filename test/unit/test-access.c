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
	/* Not an HTTP request: nginx logs it all the same. */
	assert_int_equal(access_parse("1.000 1.2.3.4 \"\\x16\\x03\" 400 150 0.000", &a),
			 0);
	assert_string_equal(a.method, "");
	assert_string_equal(a.path, "");
	assert_int_equal(access_parse("1.000 1.2.3.4 \"\" 400 0 0.000", &a), 0);
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
		cmocka_unit_test(bad_access_lines_are_refused),
		T(access_log_is_followed),
		T(access_log_is_read_from_its_end),
		T(turn_of_the_access_log_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
