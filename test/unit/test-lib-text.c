/* SPDX-License-Identifier: Apache-2.0 */
/* lib/text.h, lib/url.h, lib/out.h, log_prompt(), builder/common/progress.h: nothing that
 * a terminal obeys passes a writer. */
#include "builder/common/progress.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/text.h"
#include "lib/url.h"

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A name that clears the screen in four ways, reverses direction, and forges a line. */
#define HOSTILE  "a\033[2J\xc2\x9b\x32J\x9b\x32J\x7f\xe2\x80\xae\nboots, image GOOD\r"
#define HARMLESS "a?[2J??2J?2J???? boots, image GOOD?"

static void hostile_text_is_made_harmless(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", ""},
		{"plain ~ text", "plain ~ text"},
		{HOSTILE, HARMLESS},
		{"a\tb\nc\vd\fe\rf\bg", "a b c?d?e?f?g"},
		{"K\xc3\xbchl \xe2\x82\xac \xf0\x9f\x98\x80",
		 "K\xc3\xbchl \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xc2\x80\xc2\x9f\xc2\xa0", "????\xc2\xa0"},    /* C1, and the next */
		{"\xe2\x80\xa8\xe2\x80\xa9", "??????"},          /* separators */
		{"\xe2\x80\x8f\xd8\x9c", "?????"},               /* direction */
		{"\xe2\x81\xa6\xe2\x81\xa9", "??????"},          /* direction, isolated */
		{"x\xe2\x80\x8by\xef\xbb\xbf", "x???y???"},      /* zero width */
		{"\xc2\xad\xef\xb8\x8f", "?????"},               /* not shown */
		{"\xf3\xa0\x81\x81", "????"},                    /* a tag */
		{"\xef\xbf\xb9\xef\xbf\xbb", "??????"},          /* annotation */
		{"\xe2\xa0\x80\xe2\xa0\x81", "???\xe2\xa0\x81"}, /* braille */
		{"\xf0\x93\x90\xb0\xf0\x93\x91\x95", "????????"},      /* Egyptian */
		{"\xf0\x91\x82\xbd", "????"},                          /* Kaithi */
		{"\xe3\x85\xa4\xe1\x85\x9f\xef\xbe\xa0", "?????????"}, /* Hangul */
		{"a \xd7\x90 1 \xd9\xa3 b", "a ?? 1 ?? b"},            /* right to left */
		{"\xef\xac\x9d\xef\xb9\xb0\xf0\x90\xa0\x80", "??????????"},
		{"\xf0\x9e\xa0\x80\xf0\x9e\xb8\x80", "????????"},
		{"\xd6\x8f\xe0\xa4\x80", "\xd6\x8f\xe0\xa4\x80"}, /* their neighbours */
		{"\xff\xfe", "??"},
		{"\xc0\xaf \xe0\x9f\xbf", "?? ???"}, /* overlong */
		{"\xed\xa0\x80", "???"},             /* a surrogate */
		{"\xf4\x90\x80\x80", "????"},        /* beyond the last */
		{"\xe2\x82", "??"},                  /* cut off */
		{"\xc3\033", "??"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = text_cleaned(cases[i].text);

		assert_string_equal(got, cases[i].want);
		assert_int_equal(strlen(got), strlen(cases[i].text));
	}
}

static void sequences_have_their_code(void **state)
{
	uint32_t code = 7;

	(void)state;
	assert_int_equal(text_sequence("A", &code), 1);
	assert_int_equal(code, 'A');
	assert_int_equal(text_sequence("\xc3\xbc", &code), 2);
	assert_int_equal(code, 0xfc);
	assert_int_equal(text_sequence("\xe2\x82\xac", &code), 3);
	assert_int_equal(code, 0x20ac);
	assert_int_equal(text_sequence("\xf0\x9f\x98\x80", &code), 4);
	assert_int_equal(code, 0x1f600);
	assert_int_equal(text_sequence("\xf0\x9f\x98", &code), 0);
	assert_int_equal(code, 0x1f600);
	assert_int_equal(text_sequence("\xf4\x8f\xbf\xbf", NULL), 4);
}

static void line_in_a_buffer_is_one_line(void **state)
{
	_cleanup_buf_ struct buf b = {0};

	(void)state;
	text_append(&b, "%s", HOSTILE);
	text_line(&b, " %d %s", 7, HOSTILE);
	assert_string_equal(b.p, HARMLESS " 7 " HARMLESS "\n");
}

/* --- URLs -------------------------------------------------------------------------- */

static void user_information_is_found(void **state)
{
	static const struct {
		const char *url;
		bool has;
		const char *public;
	} cases[] = {
		{"http://host/x", false, "http://host/x"},
		{"http://me@host/x", true, "http://host/x"},
		{"https://me:secret@host:80/x?y#z", true, "https://host:80/x"},
		{"https://me:p@ss@host/x", true, "https://host/x"},
		{"https://me:pa/ss@host/x", true, "https://host/x"},
		{"https://me:pa?ss@host/x", true, "https://host/x"},
		{"https://host/@scope/x", false, "https://host/@scope/x"},
		{"https://host:443/@scope/x", false, "https://host:443/@scope/x"},
		{"https://host/x?mail=a@b", false, "https://host/x"},
		{"http://[::1]:80/x@y", false, "http://[::1]:80/x@y"},
		{"http://me:secret@[::1]:80/x", true, "http://[::1]:80/x"},
		{"file:///a@b?c", false, "file:///a@b"},
		{"docker://host/x@sha256:1", false, "docker://host/x@sha256:1"},
		{"copy:/a@b", false, "copy:/a@b"},
		/* no URL, but curl may take it for one */
		{"http:/me:secret@host/x", true, "http:/host/x"},
		{"http:///me:secret@host/x", true, "http:///host/x"},
		{"http:\\\\me:secret@host/x", true, "http:\\\\host/x"},
		{"http:me:secret@host/x", true, "http:host/x"},
		{"htp:/me:secret@host/x", true, "htp:/host/x"},
		{"me:secret@host/x", true, "me:host/x"},
		{"http://me@//me:secret@host/x", true, "http://host/x"},
		/* a URL in a URL */
		{"http://host/?u=http://me:secret@host/", true, "http://host/"},
		{"http://host/http://me:secret@host/", true, "http://host/http://host/"},
		{"http://host/http:me:secret@host/", true, "http://host/http:host/"},
		{"package:Debian/a", false, "package:Debian/a"},
		{"", false, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = url_public(cases[i].url);

		assert_int_equal(url_has_userinfo(cases[i].url), cases[i].has);
		assert_string_equal(got, cases[i].public);
	}
}

static void passwords_leave_a_text(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"--mirror a=http:/u:PW@h, b", "--mirror a=http:/h, b"},
		{"not 'HTTPS:\\u:PW@h'", "not 'HTTPS:\\h'"},
		{"'http:u:PW@h' 'x@y'", "'http:h' 'x@y'"},
		{"from http:///u:PW@h/?q", "from http:///h/?q"},
		{"a,http://u:P'W,PW@h, b@c", "a,http://h, b@c"},
		{"http://u:P/W,PW@h, b@c", "http://h, b@c"},
		{"http://h/x?u=http://a:PW@b c", "http://h/x?u=http://b c"},
		{"http://h/http://a:PW@b/ c@d", "http://h/http://b/ c@d"},
		{"http://h?socks5h://a:PW@b", "http://h?socks5h://b"},
		{"x.cfg:3: q/w:1@sha256:2 a:b@c", "x.cfg:3: q/w:1@sha256:2 a:b@c"},
		{"http: a@b", "http: a@b"},
		{"x://a@/http:\\/d/@", "x:///http:\\/"},
		{"file:///a@b docker://h:1/x@sha256:2",
		 "file:///a@b docker://h:1/x@sha256:2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = xstrdup(cases[i].text);

		url_strip_userinfo(text);
		assert_string_equal(text, cases[i].want);
	}
}

/* A password may have an apostrophe; NUL is no end of a word. */
static void end_of_a_cut_url_is_one_word(void **state)
{
	static const struct {
		const char *text;
		size_t len, want;
	} cases[] = {
		{"SS'W,ORD@host/ end", 18, 14},
		{"SS\0WORD@h\" end", 14, 9},
		{"PASSWORD", 8, 8},
		{" end", 4, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(url_cut_word(cases[i].text, cases[i].len),
				 cases[i].want);
}

static void parameters_leave_a_text(void **state)
{
	char text[] = "at http://h/a;v=1/b;sig=S;t=2?q and http://h/c#t=S; done;";

	(void)state;
	url_strip_secrets(text);
	assert_string_equal(text, "at http://h/a/b and http://h/c done;");
}

static void secrets_leave_a_text(void **state)
{
	char text[] = "Get \"https://a:b@host/x?Signature=1\": dial http://c@d/e?f, no";
	char same[sizeof(text)];

	(void)state;
	memcpy(same, text, sizeof(text));
	url_strip_userinfo(same);
	assert_string_equal(same,
			    "Get \"https://host/x?Signature=1\": dial http://d/e?f, no");
	url_strip_secrets(text);
	assert_string_equal(text, "Get \"https://host/x\": dial http://d/e, no");
}

/* --- output ------------------------------------------------------------------------ */

static FILE *taken;
static int saved;

static void capture(FILE *stream)
{
	fflush(stream);
	taken = tmpfile();
	assert_non_null(taken);
	saved = dup(fileno(stream));
	assert_true(dup2(fileno(taken), fileno(stream)) >= 0);
}

/* Returns what was written to the stream since capture(). Owned by the caller. */
static char *captured(FILE *stream)
{
	char text[1024];
	ssize_t n;

	fflush(stream);
	assert_true(dup2(saved, fileno(stream)) >= 0);
	close(saved);
	n = pread(fileno(taken), text, sizeof(text), 0);
	assert_true(n >= 0);
	fclose(taken);
	return xstrndup(text, (size_t)n);
}

static void printed_line_is_one_line(void **state)
{
	_cleanup_free_ char *got = NULL;
	struct err e;
	int r;

	(void)state;
	capture(stdout);
	out_line("%s: %d", HOSTILE, 1);
	out_text("two\n\tlines\033\n");
	r = out_flush(&e);
	got = captured(stdout);
	assert_int_equal(r, 0);
	assert_string_equal(got, HARMLESS ": 1\ntwo\n\tlines?\n");
}

static void failed_output_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), r;
	struct err e;

	(void)state;
	fflush(stdout);
	saved = dup(1);
	assert_true(dup2(full, 1) >= 0);
	out_line("x");
	r = out_flush(&e);
	clearerr(stdout);
	assert_true(dup2(saved, 1) >= 0);
	close(saved);
	close(full);
	assert_int_equal(r, -1);
	assert_string_equal(e.msg, "standard output: No space left on device");
}

static void question_is_harmless(void **state)
{
	_cleanup_free_ char *got = NULL;

	(void)state;
	capture(stderr);
	log_prompt("Write %s? ", HOSTILE);
	got = captured(stderr);
	assert_string_equal(got, "Write " HARMLESS "? ");
}

/* Progress lines are shown on a terminal only. */
static void progress_on_a_terminal_is_harmless(void **state)
{
	char *lines[] = {(char *)HOSTILE, (char *)"two", NULL};
	char text[512];
	size_t len = 0;
	int master, slave;
	ssize_t n;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	setenv("TERM", "xterm", 1);
	saved = dup(2);
	assert_true(dup2(slave, 2) >= 0);
	progress_show_lines(lines);
	progress_clear();
	progress_show("%s", HOSTILE);
	assert_true(dup2(saved, 2) >= 0);
	close(slave);
	/* A terminal hands its text on in pieces; the end is EIO. */
	while ((n = read(master, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	assert_string_equal(text, "\r\033[K" HARMLESS "\r\ntwo"
				  "\r\033[K\033[A\r\033[K"
				  "\r\033[K" HARMLESS);
	close(master);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_is_made_harmless),
		cmocka_unit_test(sequences_have_their_code),
		cmocka_unit_test(line_in_a_buffer_is_one_line),
		cmocka_unit_test(user_information_is_found),
		cmocka_unit_test(passwords_leave_a_text),
		cmocka_unit_test(end_of_a_cut_url_is_one_word),
		cmocka_unit_test(parameters_leave_a_text),
		cmocka_unit_test(secrets_leave_a_text),
		cmocka_unit_test(printed_line_is_one_line),
		cmocka_unit_test(failed_output_is_an_error),
		cmocka_unit_test(question_is_harmless),
		cmocka_unit_test(progress_on_a_terminal_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
