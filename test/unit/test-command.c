/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: dispatch, complaints, help; and help against the man pages. */
#include "builder/command-main.h"
#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct seen {
	int runs;
	bool keep;
	const char *image;
	char *words;
};
static struct seen seen;

/* As every command tells what is wrong with a file. */
static int complain_twice(struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	diag_add(&d, "a.cfg:1: one");
	diag_add(&d, "a.cfg:2: two\n\033[2Jand %s", "more");
	return diag_err(&d, e);
}

static int run_fake(const struct command *self, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {{"image", required_argument, NULL, 'i'},
						{"output", required_argument, NULL, 'o'},
						{"keep", no_argument, NULL, 'k'},
						{"keep-all", no_argument, NULL, 1000},
						{NULL, 0, NULL, 0}};
	_cleanup_strv_ char **words = NULL;
	int c;

	seen.runs++;
	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'i':
		case 'o':
			seen.image = optarg;
			break;
		case 'k':
		case 1000:
			seen.keep = true;
			break;
		default:
			return -1;
		}
	}
	for (int i = optind; i < argc; i++)
		strv_add(&words, argv[i]);
	free(seen.words);
	seen.words = strv_join(words, " ");
	return seen.words[0] == '!' ? complain_twice(e) : 0;
}

static const struct command fake_rack = {
	.name = "rack",
	.args = "RACK.cfg [OPTION...]",
	.summary = "boot a whole rack",
	.help = "  --image DIR       the image\n"
		"  -o, --output DIR  where to\n"
		"  --keep            keep it\n",
	.run = run_fake,
};
static const struct command fake_build = {
	.name = "build",
	.args = "RECIPE",
	.summary = "bake an image",
	.help = "  --image FILE           the image\n",
	.run = run_fake,
};
static const struct command *const fakes[] = {&fake_rack, &fake_build, NULL};

/* The line is split at blanks. */
static int go(const char *line, struct err *e)
{
	_cleanup_strv_ char **argv = strv_split(line, " ");
	int r;

	free(seen.words);
	seen = (struct seen){0};
	*e = (struct err){0};
	r = command_main(fakes, (int)strv_len(argv), argv, e);
	seen.image = seen.image ? "given" : NULL; /* argv goes away */
	return r;
}

static void refuse(const char *line, const char *message)
{
	struct err e;

	assert_int_equal(go(line, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_USAGE);
}

static void test_options_stand_anywhere(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(go("rackstrap rack a.cfg --image x b.cfg --keep", &e), 0);
	assert_string_equal(seen.words, "a.cfg b.cfg");
	assert_true(seen.keep);
	assert_non_null(seen.image);

	assert_int_equal(go("rackstrap rack --image=x -- --keep", &e), 0);
	assert_string_equal(seen.words, "--keep");
	assert_false(seen.keep);

	/* getopt has state; the second run must not see the first's. */
	assert_int_equal(go("rackstrap build a", &e), 0);
	assert_string_equal(seen.words, "a");
}

static void test_short_options_are_those_in_help(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(go("rackstrap rack -o x a.cfg", &e), 0);
	assert_string_equal(seen.words, "a.cfg");
	refuse("rackstrap rack a.cfg -k",
	       "rack: no option '-k' (see rackstrap rack --help)");
}

static void test_wrong_options(void **state)
{
	(void)state;
	refuse("rackstrap rack a.cfg --imagf x",
	       "rack: no option '--imagf' (did you mean '--image'?)");
	refuse("rackstrap rack a.cfg --imagf=x",
	       "rack: no option '--imagf' (did you mean '--image'?)");
	refuse("rackstrap rack --frobnicate a.cfg b.cfg",
	       "rack: no option '--frobnicate' (see rackstrap rack --help)");
	refuse("rackstrap rack a.cfg --image", "rack: --image needs an argument");
	refuse("rackstrap rack a.cfg -o", "rack: --output needs an argument");
	refuse("rackstrap rack a.cfg --keep=yes b", "rack: --keep takes no argument");
	refuse("rackstrap rack -xk a.cfg",
	       "rack: no option '-x' (see rackstrap rack --help)");
	assert_int_equal(seen.runs, 1);
}

static void test_wrong_commands(void **state)
{
	(void)state;
	refuse("rackstrap", "name a command (see rackstrap --help)");
	refuse("rackstrap rak a.cfg", "no command 'rak' (did you mean 'rack'?)");
	refuse("rackstrap frobnicate", "no command 'frobnicate' (see rackstrap --help)");
	refuse("rackstrap --keep", "no option '--keep' (see rackstrap --help)");
	refuse("rackstrap help biuld", "no command 'biuld' (did you mean 'build'?)");
	assert_int_equal(seen.runs, 0);
}

/* What `line` prints on descriptor `fd`; *ret is the exit status. */
static char *printed(int fd, const char *line, int *ret)
{
	_cleanup_free_ char *path = NULL;
	FILE *f = tmpfile();
	int saved = dup(fd);
	char *text = NULL;
	struct err e;

	assert_non_null(f);
	path = xasprintf("/proc/self/fd/%d", fileno(f));
	fflush(stdout);
	dup2(fileno(f), fd);
	*ret = command_exit(go(line, &e), &e);
	fflush(stdout);
	dup2(saved, fd);
	close(saved);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	fclose(f);
	return text;
}

static void test_errors_are_told_line_by_line(void **state)
{
	_cleanup_free_ char *text = NULL;
	int r;

	(void)state;
	text = printed(STDERR_FILENO, "rackstrap rack !", &r);
	assert_int_equal(r, 3);
	assert_string_equal(text, "rackstrap: a.cfg:1: one\n"
				  "rackstrap: a.cfg:2: two ?[2Jand more\n");
}

static void test_help_lists_commands(void **state)
{
	_cleanup_free_ char *list = NULL, *one = NULL, *other = NULL, *version = NULL;
	int r;

	(void)state;
	list = printed(STDOUT_FILENO, "rackstrap --help", &r);
	assert_int_equal(r, 0);
	assert_non_null(strstr(list, "\n  rack      boot a whole rack\n"));
	assert_non_null(strstr(list, "\n  build     bake an image\n"));
	one = printed(STDOUT_FILENO, "rackstrap help rack", &r);
	assert_int_equal(r, 0);
	assert_non_null(strstr(one, "Usage: rackstrap rack RACK.cfg [OPTION...]\n"));
	assert_non_null(strstr(one, "\n  -o, --output DIR  where to\n"));
	assert_non_null(strstr(one, "\n  -h, --help        print this and exit\n"));
	other = printed(STDOUT_FILENO, "rackstrap help build", &r);
	assert_non_null(strstr(other, "\n  --image FILE           the image\n"
				      "  -h, --help             print this and exit\n"));
	version = printed(STDOUT_FILENO, "rackstrap --version", &r);
	assert_int_equal(r, 0);
	assert_string_equal(version, "rackstrap " RACKSTRAP_VERSION "\n");
}

static void test_unwritable_output_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), saved = dup(STDOUT_FILENO), r;
	struct err e;

	(void)state;
	if (full < 0)
		skip();
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	r = go("rackstrap --help", &e);
	dup2(saved, STDOUT_FILENO);
	clearerr(stdout);
	close(saved);
	close(full);
	assert_int_equal(r, -1);
	assert_string_equal(e.msg, "standard output: No space left on device");
	assert_int_equal(e.code, ERR_FAILED);
}

/* --- the real commands ------------------------------------------------------------ */

static const struct command *const real[] = {
	&command_build,  &command_lock,  &command_fetch,   &command_cache,
	&command_check,  &command_pxe,   &command_serve,   &command_rack,
	&command_status, &command_write, &command_inspect, &command_customize,
	&command_verify,
};

static void test_help_fits_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		const char *line = real[i]->help;

		assert_true(strlen(real[i]->summary) <= 80 - 12);
		assert_true(!*line || str_ends(line, "\n"));
		for (; *line; line += strcspn(line, "\n") + 1) {
			if (strcspn(line, "\n") > 80)
				print_message("# %s: %.*s\n", real[i]->name,
					      (int)strcspn(line, "\n"), line);
			assert_true(strcspn(line, "\n") <= 80);
		}
	}
}

static char *man_page(const char *name)
{
	_cleanup_free_ char *path = xasprintf("man/rackstrap-%s.1", name);
	char *text = NULL;

	if (file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		fail_msg("%s is missing", path);
	return text;
}

/* "--no-such" as mdoc writes it: "Fl Fl no-such". */
static bool page_has(const char *page, const char *option, size_t len)
{
	_cleanup_free_ char *want = xasprintf("Fl Fl %.*s", (int)len, option);
	size_t n = strlen(want);

	for (const char *s = page; (s = strstr(s, want)); s += n)
		if (!isalnum((unsigned char)s[n]) && s[n] != '-')
			return true;
	return false;
}

static void test_man_pages_have_every_option(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t missing = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		_cleanup_free_ char *page = man_page(real[i]->name);

		for (const char *s = real[i]->help; (s = strstr(s, "--")); s++) {
			size_t len = strspn(s + 2, letters);

			if (len == 0 || page_has(page, s + 2, len))
				continue;
			print_message("# man/rackstrap-%s.1 lacks --%.*s\n",
				      real[i]->name, (int)len, s + 2);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

/* And the other way round: no page promises what is not there. */
static void test_help_has_every_option_of_the_man_page(void **state)
{
	size_t missing = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		_cleanup_free_ char *page = man_page(real[i]->name);

		for (char *s = page; (s = strstr(s, "\n.It Fl ")); s++) {
			char *long_one = strstr(s, "Fl Fl ");
			_cleanup_free_ char *want = NULL;

			if (!long_one || long_one > s + strcspn(s + 1, "\n"))
				continue;
			long_one += strlen("Fl Fl ");
			want = xasprintf("--%.*s", (int)strcspn(long_one, " \n"),
					 long_one);
			if (streq(want, "--help") || strstr(real[i]->help, want))
				continue;
			print_message("# rackstrap %s --help lacks %s\n", real[i]->name,
				      want);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_stand_anywhere),
		cmocka_unit_test(test_short_options_are_those_in_help),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_wrong_commands),
		cmocka_unit_test(test_errors_are_told_line_by_line),
		cmocka_unit_test(test_help_lists_commands),
		cmocka_unit_test(test_unwritable_output_is_an_error),
		cmocka_unit_test(test_help_fits_a_terminal),
		cmocka_unit_test(test_man_pages_have_every_option),
		cmocka_unit_test(test_help_has_every_option_of_the_man_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
