/* SPDX-License-Identifier: Apache-2.0 */
/* builder/rack/rack-console.h: which lines of a console are shown, and how many. */
#include "test-rack-watch.h"

/* Bytes that were moved. The Makefile wraps memmove(). */
static size_t moved;

void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	moved += n;
	return __real_memmove(to, from, n);
}

static void test_console_lines_are_cleaned(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"one\r\ntwo\n\n\n  \nthree", "one|two|three"},
		{"\033[0;32m  OK  \033[0m] Started", "  OK  ] Started"},
		{"\033[2J\033[01;01HSeaBIOS\033[8;1Hnext", "SeaBIOSnext"},
		{"\033]0;title\atext", "text"},
		{"\033]0;no end\ntext", "text"},
		{"\033(Btext\033", "text"},
		{"\033[31", ""},
		{"one\rtwo\r\n", "one|two"},
		/* systemd's animation, which would push all other lines out */
		{"\r\033[K[   \033[0;31m*\033[0;1;31m*\033[0m\033[0;31m* \033[0m] (1 of "
		 "2) A start "
		 "job is running for x (5s / no limit)\r\033[K[  \033[0;32mOK\033[0m  ] "
		 "Started x.\n",
		 "[  OK  ] Started x."},
		{"[*     ] A start job is running\r\n[ end", "[ end"},
		{"[    ] [] [x*] [*", "[    ] [] [x*] [*"},
		{"a\tb\001c\bd\177", "a bcd?"},
		{"caf\303\251", "caf??"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strv_ char **v =
			console_lines(cases[i].text, strlen(cases[i].text));
		_cleanup_free_ char *joined = strv_join(v, "|");

		assert_string_equal(joined, cases[i].want);
	}
}

static void test_console_lines_are_cut(void **state)
{
	_cleanup_free_ char *text = xmalloc(5000);
	_cleanup_strv_ char **v = NULL;

	(void)state;
	memset(text, 'x', 4999);
	memcpy(text + 4000, "\nyy", 3);
	v = console_lines(text, 4003);
	assert_int_equal(strv_len(v), 2);
	assert_int_equal(strlen(v[0]), 1000);
	assert_string_equal(v[1], "yy");
}

/* A line may be cut, and the tail may begin, anywhere in a URL. */
static void test_console_lines_have_no_credentials(void **state)
{
	static const char url[] = "http://me:PASSWORD@host/x";
	struct fixture *f = *state;
	const char *path = f->machines[0].console.path;
	_cleanup_free_ char *text = xcalloc(1, 64 * 1024);

	for (size_t n = 970; n < 1002; n++) {
		_cleanup_strv_ char **v = NULL;

		memset(text, 'x', n);
		strcpy(text + n, url);
		v = console_lines(text, strlen(text));
		assert_int_equal(strv_len(v), 1);
		assert_null(strstr(v[0], "PA"));
	}
	for (size_t n = 0; n < sizeof(url); n++) {
		_cleanup_strv_ char **v = NULL;

		strcpy(text, url);
		memset(text + strlen(url), '\n', 32 * 1024);
		strcpy(text + 32 * 1024 + n - 4, "\nend");
		assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644),
				 0);
		v = console_tail(path, 9);
		assert_string_equal(v[strv_len(v) - 1], "end");
		for (size_t i = 0; v[i]; i++)
			assert_null(strstr(v[i], "WORD"));
	}
}

static void expect_next(struct console *c, const char *want)
{
	_cleanup_free_ char *line = console_next(c);

	if (!want)
		assert_null(line);
	else
		assert_string_equal(line ? line : "(nothing)", want);
}

static void test_console_is_followed(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;

	expect_next(c, NULL); /* QEMU has not created the file yet */
	run_now(f, "printf 'one\\ntw' >log/master.console");
	expect_next(c, "one");
	expect_next(c, NULL);
	run_now(f, "printf 'o\\r\\n\\nthree\\n' >>log/master.console");
	expect_next(c, "two");
	expect_next(c, "");
	expect_next(c, "three");
	expect_next(c, NULL);
	/* After a restart QEMU begins the file anew. */
	run_now(f, "printf 'new\\n' >log/master.console");
	expect_next(c, "new");
	expect_next(c, NULL);
}

static void test_console_tail_has_the_last_lines(void **state)
{
	struct fixture *f = *state;
	const char *path = f->machines[0].console.path;
	_cleanup_strv_ char **none = console_tail(path, 3), **v = NULL;
	_cleanup_free_ char *joined = NULL;

	assert_null(none);
	run_now(f,
		"yes a long line that is not wanted | head -n 3000 >log/master.console\n"
		"printf '\\nx\\n\\ny\\nunended' >>log/master.console");
	v = console_tail(path, 3);
	joined = strv_join(v, "|");
	assert_string_equal(joined, "x|y|unended");
}

#define FLOOD_BYTES 4000000

/* Writes lines of two bytes to a console. */
static void flood(struct fixture *f)
{
	run_now(f, "yes | head -c 4000000 >log/master.console");
}

/* Each line is taken from the front of a buffer, which is not moved for each. */
static void test_many_lines_move_few_bytes(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	size_t n = 0;
	char *line;

	flood(f);
	moved = 0;
	for (; (line = console_next(c)); n++)
		free(line);
	assert_int_equal(n, FLOOD_BYTES / 2);
	assert_true(moved < FLOOD_BYTES);
}

static void test_turn_of_a_console_is_limited(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	size_t n = 0, turns = 0;
	bool more;
	char *line;

	flood(f);
	do {
		more = console_turn(c);
		for (; (line = console_next(c)); n++)
			free(line);
		turns++;
		assert_true(c->at <= (off_t)(turns * CONSOLE_TURN));
	} while (more || turns == 1);
	assert_int_equal(n, FLOOD_BYTES / 2);
	assert_true(turns > FLOOD_BYTES / CONSOLE_TURN);
	assert_false(console_turn(c));
}

/* The verdicts of all hosts are found in one turn, however much one of them writes. */
static void test_flood_on_a_console_delays_nobody(void **state)
{
	struct fixture *f = *state;

	flood(f);
	run_now(f, PUT_REPORT("master", "ready", "null")
			   PUT_REPORT("node-1", "ready", "null")
				   PUT_REPORT("node-2", "failed", "\"no\""));
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_READY, NULL);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
	check_verdict(&f->machines[2], MACHINE_FAILED, "no");
	assert_true(f->machines[0].console.at > 0);
	assert_true(f->machines[0].console.at < FLOOD_BYTES / 2);
}

/* A line that is too long is read in pieces; half of a URL does not look like one. */
static void test_password_in_two_pieces_is_not_shown(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	static const char url[] = "https://bob:ABCD'EFGHIJKLMNOP@proxy/ failed ";
	size_t before = 64 * 1024 - strlen("https://bob:ABCD");
	_cleanup_buf_ struct buf b = {0};
	bool found = false;
	char *line;

	for (size_t i = 0; i < before; i++)
		buf_puts(&b, i % 8 ? "x" : " ");
	buf_puts(&b, url);
	for (size_t i = 0; i < 70000; i++)
		buf_puts(&b, i % 8 ? "y" : " ");
	buf_puts(&b, "\n");
	assert_int_equal(file_write_at(AT_FDCWD, c->path, b.p, b.len, 0644), 0);
	while ((line = console_next(c))) {
		assert_null(strstr(line, "ABCD"));
		assert_null(strstr(line, "EFGH"));
		found |= strstr(line, "https://proxy/") != NULL;
		free(line);
	}
	assert_true(found);
}

/* It cannot be told where a word that fills a piece has its URL. */
static void test_long_word_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	_cleanup_free_ char *text = xmalloc(100000);

	memset(text, 'x', 100000);
	strcpy(text + 99000, "'PASSWORD@proxy/ failed\nend\n");
	assert_int_equal(file_write_at(AT_FDCWD, c->path, text, strlen(text), 0644), 0);
	expect_next(c, "...");
	expect_next(c, " failed");
	expect_next(c, "end");
	expect_next(c, NULL);
}

static void skip_to(struct console *c, const char *want)
{
	bool found = false;

	while (!found) {
		_cleanup_free_ char *line = console_next(c);

		assert_non_null(line);
		found = streq(line, want);
	}
}

static off_t size_of_console(struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->machines[0].console.path, &st), 0);
	return st.st_size;
}

/* The reader goes on at the line at which it was, if that is kept. */
static void test_console_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;

	assert_false(console_bound(c)); /* QEMU has not created the file yet */
	run_now(f, "echo early >log/master.console\n"
		   "yes 0123456 | head -c 16777216 >>log/master.console\n"
		   "printf 'one\\ntwo\\n' >>log/master.console");
	expect_next(c, "early");
	assert_true(console_bound(c));
	assert_in_range(size_of_console(f), CONSOLE_KEPT - 100, CONSOLE_KEPT + 100);
	assert_false(console_bound(c));
	expect_next(c, "0123456");
	skip_to(c, "one");
	run_now(f, "yes three | head -c 16777212 >>log/master.console");
	expect_next(c, "two");
	assert_false(console_bound(c)); /* not the first time */
	assert_in_range(size_of_console(f), CONSOLE_KEPT - 100, CONSOLE_KEPT + 100);
	expect_next(c, "three");
	run_now(f, "echo four >>log/master.console");
	skip_to(c, "four");
	expect_next(c, NULL);
}

static void test_watch_bounds_the_consoles(void **state)
{
	struct fixture *f = *state;

	run_now(f, "yes | head -c 20000000 >log/master.console\n"
		   "yes | head -c 20000000 >log/master.qemu\n" PUT_REPORT(
			   "master", "ready", "null"));
	leave_only(f, 0);
	watch_to_the_end(f);
	assert_in_range(size_of_console(f), 1, CONSOLE_MAX);
	assert_true(f->machines[0].qemu.cut);
}

int main(void)
{
#define unit(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console_lines_are_cleaned),
		cmocka_unit_test(test_console_lines_are_cut),
		unit(test_console_lines_have_no_credentials),
		unit(test_console_is_followed),
		unit(test_console_tail_has_the_last_lines),
		unit(test_password_in_two_pieces_is_not_shown),
		unit(test_long_word_is_left_out),
		unit(test_many_lines_move_few_bytes),
		unit(test_turn_of_a_console_is_limited),
		unit(test_flood_on_a_console_delays_nobody),
		unit(test_console_is_bounded),
		unit(test_watch_bounds_the_consoles),
	};

	/* The watch's messages for people would not be valid TAP. */
	log_setup("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
