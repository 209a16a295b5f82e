/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/tail.h: a log is followed while it grows, is renamed and is truncated. */
#include "pxe/tail.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
	char *dir, *path, *old;
	struct tail t;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = make_scratch();
	f->path = xasprintf("%s/log", f->dir);
	f->old = xasprintf("%s.old", f->path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tail_done(&f->t);
	rm_rf_p(&f->dir);
	free(f->path);
	free(f->old);
	free(f);
	return 0;
}

static void append(const char *path, const char *text)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

/* NULL: there is no line. */
static void expect(struct fixture *f, const char *want)
{
	char line[TAIL_LINE_MAX];

	if (!tail_next(&f->t, line)) {
		assert_null(want);
		return;
	}
	if (!want)
		fail_msg("unexpected: %s", line);
	assert_string_equal(line, want);
}

static void growing_log_is_followed(void **state)
{
	struct fixture *f = *state;

	tail_open(&f->t, f->path, true);
	expect(f, NULL); /* it does not exist yet */
	append(f->path, "one\ntw");
	expect(f, "one");
	expect(f, NULL);
	append(f->path, "o\n\nfour\n");
	expect(f, "two");
	expect(f, "");
	expect(f, "four");
	expect(f, NULL);
}

static void earlier_lines_are_skipped(void **state)
{
	struct fixture *f = *state;

	append(f->path, "one\n");
	tail_open(&f->t, f->path, true);
	expect(f, NULL);
	append(f->path, "two\n");
	expect(f, "two");
}

/* nginx's workers open the new log one after the other. */
static void no_line_is_lost_by_a_rename(void **state)
{
	struct fixture *f = *state;

	append(f->path, "one\n");
	tail_open(&f->t, f->path, false);
	expect(f, "one");
	append(f->path, "two\nthr");
	assert_int_equal(rename(f->path, f->old), 0);
	expect(f, "two");
	expect(f, NULL);
	append(f->old, "ee\n");
	append(f->path, "from the new one\n");
	expect(f, "three");
	expect(f, "from the new one");
	append(f->old, "late\n");
	append(f->path, "more\n");
	expect(f, "late");
	expect(f, "more");
	expect(f, NULL);
	/* And again. */
	assert_int_equal(rename(f->path, f->old), 0);
	append(f->old, "last\n");
	append(f->path, "first\n");
	expect(f, "last");
	expect(f, "first");
	expect(f, NULL);
}

static void truncated_log_is_read_from_its_beginning(void **state)
{
	struct fixture *f = *state;

	append(f->path, "one\ntwo\n");
	tail_open(&f->t, f->path, false);
	expect(f, "one");
	expect(f, "two");
	assert_int_equal(truncate(f->path, 0), 0);
	expect(f, NULL);
	append(f->path, "new\n");
	expect(f, "new");
	expect(f, NULL);
}

static void long_line_is_left_out(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = xmalloc(TAIL_LINE_MAX + 1);

	memset(text, 'x', TAIL_LINE_MAX);
	text[TAIL_LINE_MAX] = '\0';
	append(f->path, text);
	append(f->path, "\nok\n");
	text[TAIL_LINE_MAX - 1] = '\0';
	append(f->path, text);
	append(f->path, "\n");
	tail_open(&f->t, f->path, false);
	expect(f, "ok");
	expect(f, text);
	expect(f, NULL);
}

static void only_a_regular_file_is_read(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->path, 0644), 0);
	tail_open(&f->t, f->path, false);
	expect(f, NULL);
	assert_int_equal(unlink(f->path), 0);
	append(f->old, "of another file\n");
	assert_int_equal(symlink(f->old, f->path), 0);
	expect(f, NULL);
	assert_int_equal(unlink(f->path), 0);
	append(f->path, "one\n");
	expect(f, "one");
}

/* A log that grows faster than it is read must not keep its reader from other work. */
static void turn_is_bounded(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf b = {0};
	size_t n = 0, turns = 0, lines = 100;
	bool more;
	char line[TAIL_LINE_MAX];

	for (size_t i = 0; i < lines; i++)
		buf_printf(&b, "%1023zu\n", i);
	assert_int_equal(file_write_at(AT_FDCWD, f->path, b.p, b.len, 0644), 0);
	tail_open(&f->t, f->path, false);
	do {
		more = tail_turn(&f->t, 10 * 1024);
		turns++;
		while (tail_next(&f->t, line))
			n++;
		assert_true(n <= turns * 10);
	} while (more || turns == 1);
	assert_int_equal(n, lines);
	assert_int_equal(turns, 12); /* and one that finds nothing */
}

/* A log of which a turn did not read all is not replaced by the next. */
static void no_line_is_lost_between_turns(void **state)
{
	struct fixture *f = *state;

	append(f->path, "one\ntwo\n");
	tail_open(&f->t, f->path, false);
	assert_false(tail_turn(&f->t, 4));
	expect(f, "one");
	assert_int_equal(rename(f->path, f->old), 0);
	append(f->path, "three\n");
	expect(f, NULL);
	assert_true(tail_turn(&f->t, 4));
	expect(f, "two");
	expect(f, NULL);
	assert_true(tail_turn(&f->t, 100));
	expect(f, "three");
	expect(f, NULL);
	assert_false(tail_turn(&f->t, 100));
}

/* Anybody can make the servers log lines that are long, and have no end for a while. */
static void line_without_an_end_is_read_once(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = xmalloc(100 * 1024);
	_cleanup_close_ int fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	size_t turns = 0;
	bool more;

	memset(text, 'x', 100 * 1024);
	assert_int_equal(write_all(fd, text, 100 * 1024), 0);
	tail_open(&f->t, f->path, false);
	do {
		more = tail_turn(&f->t, 10 * 1024);
		turns++;
		expect(f, NULL);
	} while (more || turns == 1);
	assert_int_equal(turns, 12); /* as above */
	/* Whatever reads it again finds a line. */
	assert_int_equal(pwrite(fd, "again\n", 6, 0), 6);
	expect(f, NULL);
	append(f->path, "\nok\nbegun");
	expect(f, "ok");
	expect(f, NULL);
	assert_int_equal(pwrite(fd, "again\n", 6, 100 * 1024 - 2), 6);
	append(f->path, ", ended\n");
	expect(f, "begun, ended");
	assert_int_equal(ftruncate(fd, 0), 0);
	append(f->path, "one\ntw");
	expect(f, "one");
	expect(f, NULL);
	assert_int_equal(ftruncate(fd, 0), 0);
	expect(f, NULL);
	append(f->path, "two\n");
	expect(f, "two");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(growing_log_is_followed),
		T(earlier_lines_are_skipped),
		T(no_line_is_lost_by_a_rename),
		T(truncated_log_is_read_from_its_beginning),
		T(long_line_is_left_out),
		T(only_a_regular_file_is_read),
		T(turn_is_bounded),
		T(no_line_is_lost_between_turns),
		T(line_without_an_end_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
