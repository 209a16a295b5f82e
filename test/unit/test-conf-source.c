/* SPDX-License-Identifier: Apache-2.0 */
/* Files that include others. */
#include "builder/common/leftovers.h"
#include "firstboot/model/conf-source.h"
#include "firstboot/model/conf.h"
#include "test/unit/test-tempdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

static void put(const char *name, const char *text)
{
	_cleanup_close_ int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Reads main.cfg, and checks what is printed about it, "" if it is right. */
static void says(const char *main, size_t max, const char *want)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_buf_ struct buf b = {0};
	int r;

	put("main.cfg", main);
	r = conf_read_at(&c, AT_FDCWD, "main.cfg", "main.cfg", max, 0, &d);
	for (size_t i = 0; i < d.n; i++) {
		_cleanup_free_ char *text = diag_text(&d, i);

		buf_printf(&b, "%s\n", text);
	}
	assert_string_equal(b.p ? b.p : "", want);
	assert_int_equal(r, *want ? -1 : 0);
}

/* Complaints have the file and line of a value, whatever file it is in. */
static void test_files_are_named_in_complaints(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = NULL;
	const char *s;

	put("main.cfg", "a = 1;\n  @include \"sub/more.cfg\" f = 1;\nc = \"x\";\n");
	put("sub/more.cfg", "\n@include \"last.cfg\"\nb = 2;");
	put("sub/last.cfg", "e = 1; # without a line end");
	assert_int_equal(
		conf_read_at(&c, AT_FDCWD, "main.cfg", "main.cfg", CONF_MAX, 0, &d), 0);
	for (const char *const *key = (const char *const[]){"a", "e", "b", "f", NULL};
	     *key; key++)
		assert_int_equal(conf_get_str(conf_root(c), *key, &s, &d), -1);
	assert_int_equal(conf_get_str(conf_root(c), "c", &s, &d), 1);
	assert_int_equal(conf_line(conf_member(conf_root(c), "c")), 3);
	assert_string_equal(conf_file(conf_member(conf_root(c), "c")), "main.cfg");
	assert_string_equal(conf_file(conf_root(c)), "main.cfg");
	assert_int_equal(conf_line(conf_root(c)), 0);
	assert_int_equal(d.n, 4);
#define MUST ": must be a string: write it in quotation marks"
	assert_string_equal(d.lines[0], "main.cfg:1: a" MUST);
	assert_string_equal(d.lines[1], "sub/last.cfg:1: e" MUST);
	assert_string_equal(d.lines[2], "sub/more.cfg:3: b" MUST);
	assert_string_equal(d.lines[3], "main.cfg:2: f" MUST);
}

/* A text may end with a comment that has no line end. */
static void test_comment_ends_with_the_file(void **state _unused_)
{
	says("a = 1; # x", CONF_MAX, "");
	says("a = 1; // x", CONF_MAX, "");
	says("# x", CONF_MAX, "");
	put("more.cfg", "// x");
	says("a = 1;\n@include \"more.cfg\"\nb = 2;", CONF_MAX, "");
}

/* libconfig would end the program for a folder, wait for a pipe and read a device. */
static void test_only_regular_files_are_included(void **state _unused_)
{
	says("\n@include \"none.cfg\"\n", CONF_MAX,
	     "main.cfg:2: the included none.cfg cannot be read: No such file or "
	     "directory\n");
	says("@include \"sub\"\n", CONF_MAX,
	     "main.cfg:1: the included sub cannot be read: is not a regular file\n");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	says("@include \"pipe\"\n", CONF_MAX,
	     "main.cfg:1: the included pipe cannot be read: is not a regular file\n");
	says("@include \"/dev/zero\"\n", CONF_MAX,
	     "main.cfg:1: the included /dev/zero cannot be read: is not a regular "
	     "file\n");
	says("@include \"\"\n", CONF_MAX,
	     "main.cfg:1: write @include \"FILE\" in a line of its own\n");
	says("a = 1; @include \"sub\"\n", CONF_MAX,
	     "main.cfg:1: write @include \"FILE\" in a line of its own\n");
	says("@include\"sub\"\n@include \"su\nb\"\n", CONF_MAX,
	     "main.cfg:1: write @include \"FILE\" in a line of its own\n"
	     "main.cfg:2: write @include \"FILE\" in a line of its own\n");
	says("s = \"\n@include \\\"sub\\\"\"; /*\n@include \"sub\"\n*/ # @include "
	     "\"sub\"\n",
	     CONF_MAX, "");
	put("a\"b\\", "a = 1;\n");
	says("@include \"a\\\"b\\\\\"\na = 2;\n", CONF_MAX,
	     "main.cfg:2: 'a' is given twice, first in a\"b\\:1\n"
	     "    a = 2;\n"
	     "    ^\n");
}

/* A comment that an included file does not end would swallow what follows it. */
static void test_mistakes_in_an_included_file_are_found_there(void **state _unused_)
{
	static const char main[] = "a = 1;\n@include \"more.cfg\"\nb = 2;\n";

	put("more.cfg", "\n/* open\n");
	says(main, CONF_MAX,
	     "more.cfg:2: this comment is not terminated: */ is missing\n"
	     "    /* open\n"
	     "    ^\n");
	put("more.cfg", "x = \"open\n");
	says(main, CONF_MAX,
	     "more.cfg:1: this string has no closing quotation mark\n"
	     "    x = \"open\n"
	     "        ^\n");
	put("more.cfg", "x = 1;\na = 2;\n");
	says(main, CONF_MAX,
	     "more.cfg:2: 'a' is given twice, first in main.cfg:1\n"
	     "    a = 2;\n"
	     "    ^\n");
	put("more.cfg", "x = {\n");
	says(main, CONF_MAX,
	     "more.cfg:1: this '{' is not closed: a '}' is missing\n"
	     "    x = {\n"
	     "        ^\n");
	put("more.cfg", "\xef\xbb\xbfx = 1;\n");
	says(main, CONF_MAX,
	     "more.cfg:1: begins with a byte order mark (BOM): save the file as UTF-8 "
	     "without BOM\n");
	put("more.cfg", "x = [ 1\n");
	says("@include \"more.cfg\"\n};\n", CONF_MAX,
	     "main.cfg:2: '}' does not close the '[' of more.cfg:1: ']' is missing\n"
	     "    };\n"
	     "    ^\n");
	/* Each file that has mistakes is named. */
	put("more.cfg", "x = 4294967297;\n");
	put("sub/more.cfg", "y = 4294967297;\n");
	says("@include \"more.cfg\"\n@include \"sub/more.cfg\"\n", CONF_MAX,
	     "more.cfg:1: the number 4294967297 is out of range (at most 2147483647)\n"
	     "sub/more.cfg:1: the number 4294967297 is out of range (at most "
	     "2147483647)\n");
}

/* The limits hold for all files together. */
static void test_included_files_have_limits(void **state _unused_)
{
	_cleanup_buf_ struct buf many = {0}, large = {0}, main = {0};

	put("more.cfg", "# 15 characters\n");
	says("@include \"more.cfg\"\n", 36, "");
	says("@include \"more.cfg\"\n", 35,
	     "main.cfg:1: with the included more.cfg, there are more than 35 bytes\n");
	put("more.cfg", "@include \"more.cfg\"\n");
	says("@include \"more.cfg\"\n", CONF_MAX,
	     "more.cfg:1: files include each other more than 10 deep\n");
	for (int i = 0; i < 600; i++) {
		buf_printf(&many, "a%d = 1;\n", i);
		buf_printf(&large, "b%d = 1;\n", i);
	}
	put("more.cfg", many.p);
	put("sub/more.cfg", large.p);
	says("@include \"more.cfg\"\n@include \"sub/more.cfg\"\n", CONF_MAX,
	     "sub/more.cfg:401: more than 1000 settings in a group\n");
	for (int i = 0; i < 20; i++)
		buf_puts(&main, "( ");
	put("more.cfg", main.p);
	buf_done(&main);
	buf_puts(&main, "a = ");
	for (int i = 0; i < 20; i++)
		buf_puts(&main, "( ");
	buf_puts(&main, "\n@include \"more.cfg\"\n");
	says(main.p, CONF_MAX,
	     "more.cfg:1: groups and lists are nested more than 32 deep\n");
}

/* The text has the settings of all files, and is read back to the same ones. */
static void test_text_has_included_settings(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = NULL, *back = NULL;
	_cleanup_free_ char *text = NULL, *again = NULL;
	const struct conf_node *g;
	const char *s = NULL;
	int i = 0;

	put("main.cfg", "g : {\n@include \"more.cfg\"\n x = true; };\n");
	put("more.cfg",
	    "a = 0x10; b = \"q\\\"\\\\\\n\\t\\x07 \xc3\xa9\"; c = ( \"1\", { d = "
	    "[ 1, 2 ]; } );\n");
	assert_int_equal(
		conf_read_at(&c, AT_FDCWD, "main.cfg", "main.cfg", CONF_MAX, 0, &d), 0);
	text = conf_text(c);
	assert_int_equal(conf_parse(&back, text, strlen(text), "x.cfg", CONF_MAX,
				    CONF_NO_INCLUDE, &d),
			 0);
	again = conf_text(back);
	assert_string_equal(again, text);
	g = conf_member(conf_root(back), "g");
	assert_int_equal(conf_get_int(g, "a", 0, 99, &i, &d), 1);
	assert_int_equal(i, 16);
	assert_int_equal(conf_get_str(g, "b", &s, &d), 1);
	assert_string_equal(s, "q\"\\\n\t\x07 \xc3\xa9");
	assert_int_equal(conf_len(conf_member(g, "c")), 2);
	assert_int_equal(conf_len(g), 4);
}

static int setup(void **state)
{
	char *path = NULL;

	if (tempdir_make("/tmp", "test-conf-source", &path) < 0)
		return -1;
	*state = path;
	return chdir(path) < 0 || mkdir("sub", 0700) < 0;
}

static int teardown(void **state)
{
	_cleanup_free_ char *path = *state;

	return chdir("/") < 0 || leftovers_remove_tree(path) < 0;
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_files_are_named_in_complaints),
		CASE(test_comment_ends_with_the_file),
		CASE(test_only_regular_files_are_included),
		CASE(test_mistakes_in_an_included_file_are_found_there),
		CASE(test_included_files_have_limits),
		CASE(test_text_has_included_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
