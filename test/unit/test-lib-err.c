/* SPDX-License-Identifier: Apache-2.0 */
/* lib/err.h and lib/log.h. */
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void set_gives_code_and_message(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_CONFIG, "%s:%u: no", "a.cfg", 7u), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "a.cfg:7: no");
	assert_int_equal(err_set(&e, ERR_USAGE, "other"), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "other");
}

static void errno_of_either_sign_is_accepted(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_errno(&e, ENOENT, "%s", "x"), -1);
	assert_int_equal(e.code, ERR_FAILED);
	assert_string_equal(e.msg, "x: No such file or directory");
	assert_int_equal(err_errno(&e, -ENOSPC, "y"), -1);
	assert_string_equal(e.msg, "y: No space left on device");
}

static void wrap_grows_a_prefix_and_keeps_the_code(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_CONFIG, "inner");
	assert_int_equal(err_wrap(&e, "image '%s'", "disk"), -1);
	assert_int_equal(err_wrap(&e, "build"), -1);
	assert_string_equal(e.msg, "build: image 'disk': inner");
	err_wrap(&e, "\n");
	assert_string_equal(e.msg, ": build: image 'disk': inner");
	assert_int_equal(e.code, ERR_CONFIG);
}

static void null_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_FAILED, "x"), -1);
	assert_int_equal(err_errno(NULL, EIO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	assert_int_equal(diag_add(NULL, "x"), -1);
}

/* The arguments of a message may contain the old message. */
static void own_message_is_a_valid_argument(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_FAILED, "one");
	err_set(&e, ERR_FAILED, "%s and %s", e.msg, e.msg);
	assert_string_equal(e.msg, "one and one");
	err_wrap(&e, "%s", e.msg);
	assert_string_equal(e.msg, "one and one: one and one");
}

static void message_is_one_line_without_control_characters(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_FAILED, "a\nb\tc\x1b[31md\x7f\r\n");
	assert_string_equal(e.msg, "a b c?[31md??");
	err_set(&e, ERR_FAILED, "K\xc3\xbchl");
	assert_string_equal(e.msg, "K\xc3\xbchl");
	err_set(&e, ERR_FAILED, "a\xc2\x9b\x31m\xe2\x80\xae\xff");
	assert_string_equal(e.msg, "a??1m????");
}

static void long_message_is_cut(void **state)
{
	_cleanup_free_ char *text = xmalloc(sizeof(((struct err *)NULL)->msg) + 100);
	struct err e = {0};
	size_t max = sizeof(e.msg) - 1;

	(void)state;
	memset(text, 'x', max + 99);
	text[max] = '\0';
	err_set(&e, ERR_FAILED, "%s", text);
	assert_string_equal(e.msg, text); /* the longest text that fits */

	text[max] = 'x';
	text[max + 1] = '\0';
	err_set(&e, ERR_FAILED, "%s", text);
	assert_int_equal(strlen(e.msg), max);
	assert_true(str_ends(e.msg, "xx..."));

	err_set(&e, ERR_FAILED, "%s", "tail");
	text[max] = '\0';
	err_wrap(&e, "%s", text);
	assert_int_equal(strlen(e.msg), max);
	assert_true(str_ends(e.msg, "x..."));
}

static void cut_passwords_are_removed(void **state)
{
	struct err e = {0};
	const int max = (int)sizeof(e.msg);

	(void)state;
	/* The cut is before, in and behind the password. */
	for (int before = max - 40; before < max + 4; before++) {
		err_set(&e, ERR_FAILED,
			"%*s http://user:PASSWORD@host/x and more, and more", before, "");
		assert_null(strstr(e.msg, "user"));
		assert_true(str_ends(e.msg, "...") || str_ends(e.msg, "more"));
		err_errno(&e, ENOENT, "%*s http://user:PASSWORD@host/x", before, "");
		assert_null(strstr(e.msg, "user"));
		e = (struct err){.msg = "inner"};
		err_wrap(&e, "%*s http://user:PASSWORD@host/x", before, "");
		assert_null(strstr(e.msg, "user"));
	}
}

static void cut_keeps_utf8_whole(void **state)
{
	struct err e = {0};
	struct buf b = {0};

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		const char *end;

		b.len = 0;
		for (size_t i = 0; i < shift; i++)
			buf_puts(&b, "x");
		while (b.len < sizeof(e.msg) + 16)
			buf_puts(&b, "\xf0\x9f\x98\x80"); /* four bytes each */
		err_set(&e, ERR_FAILED, "%s", b.p);
		assert_true(str_ends(e.msg, "\x80..."));
		end = e.msg + strlen(e.msg) - 3;
		assert_int_equal((size_t)(end - e.msg - (ptrdiff_t)shift) % 4, 0);
	}
	buf_done(&b);
}

static void diag_collects_in_order(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(diag_err(&d, &e), 0);
	assert_int_equal(diag_add(&d, "a:%d: first\n", 1), -1);
	assert_int_equal(diag_add(&d, "a:%d: sec\nond", 2), -1);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.lines[1], "a:2: sec ond");
	assert_int_equal(diag_err(&d, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "a:1: first\na:2: sec ond");
	assert_int_equal(diag_err(&d, NULL), -1);

	diag_done(&d);
	assert_int_equal(d.n, 0);
	assert_null(d.lines);
}

static void diag_splits_an_errors_lines(void **state)
{
	_cleanup_diag_ struct diag d = {0}, more = {0};
	struct err e = {0};

	(void)state;
	diag_add(&d, "one");
	diag_add(&d, "two");
	assert_int_equal(diag_err(&d, &e), -1);
	diag_add(&more, "none");
	assert_int_equal(diag_add_err(&more, &e), -1);
	assert_int_equal(more.n, 3);
	assert_string_equal(more.lines[1], "one");
	assert_string_equal(more.lines[2], "two");
}

static void diag_has_details(void **state)
{
	_cleanup_diag_ struct diag d = {0}, more = {0};
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	(void)state;
	diag_detail(&d, "of nothing");
	diag_add(&more, "a.cfg:1: first");
	diag_detail(&more, "    x\033 = 1\n    ^");
	diag_add(&more, "second");
	more.folded[1] = 3;
	diag_move(&d, &more);
	assert_int_equal(more.n, 0);
	assert_int_equal(d.n, 2);
	assert_int_equal(diag_count(&d), 5);
	text = diag_text(&d, 0);
	assert_string_equal(text, "a.cfg:1: first\n    x? = 1\n    ^");
	assert_int_equal(diag_err(&d, &e), -1);
	assert_string_equal(e.msg, "a.cfg:1: first\n    x? = 1\n    ^\nsecond");
	diag_add(&more, "host 'a': first");
	diag_move_detail(&more, &d, 0);
	assert_null(d.details[0]);
	assert_string_equal(more.details[0], "    x? = 1\n    ^");
	diag_move_detail(&more, &d, 1);
	assert_null(more.details[0]);
	assert_int_equal(diag_count(&more), 4);
	diag_move_detail(NULL, &d, 1);
	diag_move(NULL, &d);
	assert_int_equal(d.n, 0);
}

static void diag_knows_place_and_host(void **state)
{
	const struct diag_place at = {"a.cfg", 7, 3}, file = {.file = "b.cfg"},
				other = {"c.cfg", 9, 0}, none = {.line = 4};
	_cleanup_diag_ struct diag d = {0}, more = {0};

	(void)state;
	diag_host(&d, "of nothing");
	diag_other(&d, &other);
	assert_int_equal(diag_add_at(&d, &at, "wrong %s", "value"), -1);
	diag_host(&d, "node-1");
	diag_other(&d, &other);
	diag_add_at(&d, &file, "is empty");
	diag_host(&d, NULL);
	diag_other(&d, &none);
	diag_add_at(&d, &none, "no file");
	diag_add_at(&d, NULL, "no place");
	assert_int_equal(diag_add_at(NULL, &at, "dropped"), -1);
	diag_host_from(&d, 0, "node-2");

	assert_string_equal(d.lines[0], "a.cfg:7: wrong value");
	assert_string_equal(diag_message(&d, 0), "wrong value");
	assert_ptr_not_equal(d.about[0].at.file, at.file);
	assert_string_equal(d.about[0].at.file, "a.cfg");
	assert_int_equal(d.about[0].at.line, 7);
	assert_int_equal(d.about[0].at.column, 3);
	assert_string_equal(d.about[0].other.file, "c.cfg");
	assert_int_equal(d.about[0].other.line, 9);
	assert_string_equal(d.about[0].host, "node-1");
	assert_string_equal(d.lines[1], "b.cfg: is empty");
	assert_string_equal(diag_message(&d, 1), "is empty");
	assert_null(d.about[1].other.file);
	assert_string_equal(d.about[1].host, "node-2");
	assert_string_equal(d.lines[2], "no file");
	assert_null(d.about[2].at.file);
	assert_string_equal(diag_message(&d, 3), "no place");

	diag_add(&more, "b.cfg:1: in other words");
	diag_move_detail(&more, &d, 0);
	assert_int_equal(more.about[0].at.line, 7);
	assert_string_equal(more.about[0].host, "node-1");
	diag_move_line(&more, &d, 1);
	assert_string_equal(more.lines[1], "b.cfg: is empty");
	assert_string_equal(more.about[1].host, "node-2");
	assert_string_equal(d.lines[1], "");
	diag_move_line(NULL, &d, 2);
	assert_string_equal(d.lines[2], "no file");
	diag_move(&d, &more);
	assert_int_equal(d.n, 6);
	assert_string_equal(d.about[5].at.file, "b.cfg");
}

/* The message begins where the place ends, also when control characters were replaced or
 * the text was cut. */
static void place_of_a_complaint_is_cleaned(void **state)
{
	_cleanup_free_ char *name = xmalloc(4096);
	const struct diag_place odd = {"a\033\n.cfg", 1, 0}, very_long = {name, 2, 0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	memset(name, 'x', 4095);
	name[4095] = '\0';
	diag_add_at(&d, &odd, "see http://u:p@h/x\n");
	assert_string_equal(d.lines[0], "a? .cfg:1: see http://h/x");
	assert_string_equal(diag_message(&d, 0), "see http://h/x");
	diag_add_at(&d, &very_long, "message");
	assert_true(strlen(d.lines[1]) < sizeof(((struct err *)NULL)->msg));
	assert_string_equal(diag_message(&d, 1), d.lines[1]);
}

/* A file that cannot be read is no mistake in a configuration. */
static void diag_tells_unread_files_apart(void **state)
{
	_cleanup_diag_ struct diag d = {0}, more = {0};
	struct err e = {0};

	(void)state;
	diag_add_unread(&more, "a.cfg: cannot be read");
	diag_move(&d, &more);
	assert_int_equal(diag_err(&d, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
	diag_add(&d, "b.cfg:1: wrong");
	assert_int_equal(diag_err(&d, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	diag_add_unread(&d, "c.cfg: cannot be read");
	assert_int_equal(diag_err(&d, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	diag_done(&d);
	diag_add_unread_at(&d, &(struct diag_place){.file = "d.cfg", .line = 2}, "gone");
	assert_string_equal(d.lines[0], "d.cfg:2: gone");
	assert_int_equal(diag_err(&d, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
}

static void long_diag_is_cut_in_an_error(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		diag_add(&d, "rack.cfg:%d: a complaint of some length", i);
	assert_int_equal(d.n, 1000);
	assert_int_equal(diag_err(&d, &e), -1);
	assert_true(strlen(e.msg) < sizeof(e.msg) - 1);
	assert_true(str_ends(e.msg, "rack.cfg:49: a complaint of some length\n"
				    "and 950 more"));
	/* Those that the details of a line count are not told twice, or not at all. */
	d.folded[0] = 7;
	d.folded[999] = 40;
	assert_int_equal(diag_err(&d, &e), -1);
	assert_true(str_ends(e.msg, "\nand 990 more"));
}

/* Returns the text that log_line() or log_lines() writes to standard error. Owned by the
 * caller. */
static char *logged(enum log_level max, enum log_level level, const char *text,
		    bool lines)
{
	_cleanup_close_ int saved = dup(STDERR_FILENO);
	_cleanup_fclose_ FILE *f = tmpfile();
	char out[256] = "";
	ssize_t n;

	assert_non_null(f);
	log_setup("prog", max);
	assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
	errno = ECHILD;
	if (lines)
		log_lines(level, text);
	else
		log_line(level, "%s", text);
	assert_int_equal(errno, ECHILD);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	n = pread(fileno(f), out, sizeof(out) - 1, 0);
	assert_true(n >= 0);
	return xstrndup(out, (size_t)n);
}

static void log_lines_have_prefixes(void **state)
{
	static const struct {
		enum log_level max, level;
		const char *text, *want;
	} cases[] = {
		{LOG_LEVEL_INFO, LOG_LEVEL_ERROR, "bad", "prog: bad\n"},
		{LOG_LEVEL_INFO, LOG_LEVEL_WARN, "hm", "prog: warning: hm\n"},
		{LOG_LEVEL_INFO, LOG_LEVEL_INFO, "hi", "prog: hi\n"},
		{LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, "no", ""},
		{LOG_LEVEL_DEBUG, LOG_LEVEL_DEBUG, "yes", "prog: yes\n"},
		{LOG_LEVEL_ERROR, LOG_LEVEL_WARN, "no", ""},
		{LOG_LEVEL_INFO, LOG_LEVEL_ERROR, "a\nprog: b", "prog: a prog: b\n"},
		{LOG_LEVEL_INFO, LOG_LEVEL_WARN, "\033[2J\xc2\x9b\x7f\xff",
		 "prog: warning: ?[2J????\n"},
		{LOG_LEVEL_INFO, LOG_LEVEL_INFO, "from http://u:p@h/x",
		 "prog: from http://h/x\n"},
		{LOG_LEVEL_INFO, LOG_LEVEL_INFO, "", "prog: \n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got =
			logged(cases[i].max, cases[i].level, cases[i].text, false);

		assert_string_equal(got, cases[i].want);
		assert_int_equal(log_get_level(), cases[i].max);
	}
}

static void error_of_several_lines_is_logged_as_such(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *got = NULL, *none = NULL;
	struct err e;

	(void)state;
	diag_add(&d, "one\nof two");
	diag_add(&d, "\033two");
	assert_int_equal(diag_err(&d, &e), -1);
	got = logged(LOG_LEVEL_INFO, LOG_LEVEL_ERROR, e.msg, true);
	assert_string_equal(got, "prog: one of two\nprog: ?two\n");
	none = logged(LOG_LEVEL_ERROR, LOG_LEVEL_INFO, e.msg, true);
	assert_string_equal(none, "");
}

static void messages_have_no_credentials(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	struct err e;

	(void)state;
	err_set(&e, ERR_FAILED, "%s", "http://me:secret@host/x: no");
	assert_string_equal(e.msg, "http://host/x: no");
	err_errno(&e, ENOENT, "%s", "http://me:secret@host/x");
	assert_string_equal(e.msg, "http://host/x: No such file or directory");
	err_set(&e, ERR_FAILED, "inner");
	err_wrap(&e, "%s", "http://me:secret@host/x");
	assert_string_equal(e.msg, "http://host/x: inner");
	diag_add(&d, "%s", "http://me:secret@host/x");
	assert_string_equal(d.lines[0], "http://host/x");
}

/* A message may end anywhere in a URL: also then no part of its password is left. */
static void cut_messages_have_no_credentials(void **state)
{
	_cleanup_free_ char *text = xmalloc(4096);
	struct err e;

	(void)state;
	for (size_t n = sizeof(e.msg) - 50; n < sizeof(e.msg) + 10; n++) {
		_cleanup_diag_ struct diag d = {0};

		memset(text, 'x', n);
		strcpy(text + n, "http://me:PASSWORD@host/x: no");
		err_set(&e, ERR_FAILED, "%s", text);
		assert_null(strstr(e.msg, "PA"));
		err_errno(&e, ENOENT, "%s", text);
		assert_null(strstr(e.msg, "PA"));
		err_set(&e, ERR_FAILED, "inner");
		err_wrap(&e, "%s", text);
		assert_null(strstr(e.msg, "PA"));
		diag_add(&d, "%s", text);
		assert_null(strstr(d.lines[0], "PA"));
		assert_in_range(strlen(d.lines[0]), 1, sizeof(e.msg) - 1);
		assert_int_equal(diag_err(&d, &e), -1);
		assert_null(strstr(e.msg, "PA"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_gives_code_and_message),
		cmocka_unit_test(errno_of_either_sign_is_accepted),
		cmocka_unit_test(wrap_grows_a_prefix_and_keeps_the_code),
		cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(own_message_is_a_valid_argument),
		cmocka_unit_test(message_is_one_line_without_control_characters),
		cmocka_unit_test(long_message_is_cut),
		cmocka_unit_test(cut_passwords_are_removed),
		cmocka_unit_test(cut_keeps_utf8_whole),
		cmocka_unit_test(diag_collects_in_order),
		cmocka_unit_test(diag_splits_an_errors_lines),
		cmocka_unit_test(diag_has_details),
		cmocka_unit_test(diag_knows_place_and_host),
		cmocka_unit_test(place_of_a_complaint_is_cleaned),
		cmocka_unit_test(diag_tells_unread_files_apart),
		cmocka_unit_test(long_diag_is_cut_in_an_error),
		cmocka_unit_test(log_lines_have_prefixes),
		cmocka_unit_test(error_of_several_lines_is_logged_as_such),
		cmocka_unit_test(messages_have_no_credentials),
		cmocka_unit_test(cut_messages_have_no_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
