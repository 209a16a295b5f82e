/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: parsing, messages, help. */
#include "builder/commands.h"
#include "lib/file.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct seen {
	int runs;
	bool keep;
	char *image;  /* "a b": the arguments of --image */
	char *output; /* the last of --output */
	char *words;
	uint64_t seconds;
};
static struct seen seen;

static void forget_seen(void)
{
	free(seen.image);
	free(seen.output);
	free(seen.words);
	seen = (struct seen){.seconds = 900};
}

/* Fails like a command that found two mistakes in a file. */
static int complain_twice(struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	diag_add(&d, "a.cfg:1: one");
	diag_add(&d, "a.cfg:2: two\n\033[2Jand %s", "more");
	return diag_err(&d, e);
}

enum {
	OPT_IMAGE = 1,
	OPT_OUTPUT,
	OPT_KEEP,
	OPT_KEEP_ALL,
	OPT_FORMAT,
	OPT_SECONDS,
	OPT_WAIT,
	OPT_AGE,
	OPT_QUIET,
};

static const char *format_name(size_t i)
{
	static const char *const names[] = {"raw", "qcow2", "zst"};

	return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

static int run_fake(const struct command_line *line, struct err *e)
{
	_cleanup_strv_ char **images = NULL;
	const char *image;

	seen.runs++;
	for (size_t i = 0; (image = command_arg_at(line, OPT_IMAGE, i)); i++)
		strv_add(&images, image);
	seen.image = images ? strv_join(images, " ") : NULL;
	seen.output = xstrdup(command_arg(line, OPT_OUTPUT, "none"));
	seen.keep = command_has(line, OPT_KEEP) || command_has(line, OPT_KEEP_ALL);
	seen.words = strv_join(line->args, " ");
	if (command_number(line, OPT_SECONDS, 1, 60, " seconds", &seen.seconds, e) < 0 ||
	    command_duration(line, OPT_WAIT, 1, 7200, 1, &seen.seconds, e) < 0 ||
	    command_duration(line, OPT_AGE, 0, 3 * 86400, 86400, &seen.seconds, e) < 0)
		return -1;
	return seen.words[0] == '!' ? complain_twice(e) : 0;
}

static const struct command_option rack_options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .help = "the image"},
	{.name = "output",
	 .letter = 'o',
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_OUTPUT,
	 .help = "the folder to write"},
	{.name = "keep", .id = OPT_KEEP, .help = "keep it"},
	{.name = "keep-all", .id = OPT_KEEP_ALL, .help = "keep all"},
	{.name = "format",
	 .arg = "FORMAT",
	 .choice = format_name,
	 .id = OPT_FORMAT,
	 .help = "the format"},
	{.name = "seconds", .arg = "N", .id = OPT_SECONDS, .help = "how long to wait"},
	{.name = "wait", .arg = "TIME", .id = OPT_WAIT, .help = "the same"},
	{.name = "age", .arg = "TIME", .id = OPT_AGE, .help = "the same, in days"},
	{.name = NULL},
};

static const struct command_renamed rack_renamed[] = {
	{"picture", "image"},
	{"formed", "format"},
	{NULL, NULL},
};

static const struct command fake_rack = {
	.name = "rack",
	.synopsis = "RACK.cfg... [OPTION...]",
	.summary = "boot a whole rack",
	.options = rack_options,
	.renamed = rack_renamed,
	.operands = {{.name = "RACK.cfg", .kind = ARG_FILE, .help = "a rack file"}},
	.min_args = 1,
	.max_args = COMMAND_ANY,
	.run = run_fake,
};

static const struct command_option build_options[] = {
	{.name = "image",
	 .arg = "FILE",
	 .id = OPT_IMAGE,
	 .required = true,
	 .help = "a very long text that does not fit into what is left of a line of "
		 "eighty "
		 "columns"},
	{.name = NULL},
};

static const struct command fake_build = {
	.name = "build",
	.synopsis = "list [--image FILE]\nmake DIR [--image FILE] [--a-long-option LONG] "
		    "[--one FILE | --other FILE]...",
	.summary = "bake an image",
	.options = build_options,
	.operands = {{.name = "ACTION", .choice = format_name},
		     {.name = "DIR", .help = "x"}},
	.min_args = 1,
	.max_args = 2,
	.run = run_fake,
};

static const struct command_option exec_options[] = {
	{.name = "image", .arg = "FILE", .id = OPT_IMAGE, .help = "the image"},
	{.name = NULL},
};

static const struct command fake_exec = {
	.name = "exec",
	.synopsis = "[--image FILE] FORMAT [ARG]...",
	.summary = "run another program",
	.options = exec_options,
	.operands = {{.name = "FORMAT", .choice = format_name}, {.name = "ARG"}},
	.min_args = 1,
	.max_args = COMMAND_ANY,
	.options_first = true,
	.run = run_fake,
};

static const struct command *const fakes[] = {&fake_rack, &fake_build, &fake_exec, NULL};
static const struct command_option program_options[] = {
	{.name = "quiet", .letter = 'q', .id = OPT_QUIET, .help = "print less"},
	{.name = NULL},
};
static const struct program fake = {
	.name = "prog",
	.version = "1.2.3",
	.summary = "Boots racks.",
	.manual = "prog(1)",
	.options = program_options,
	.commands = fakes,
};

/* Runs a command line that is split at blanks. */
static int go(const char *line, struct err *e)
{
	_cleanup_strv_ char **argv = strv_split(line, " ");
	/* getopt changes the order; the strings are freed in theirs. */
	_cleanup_free_ char **shuffled = xcalloc(strv_len(argv) + 1, sizeof(*shuffled));

	memcpy(shuffled, argv, strv_len(argv) * sizeof(*argv));
	forget_seen();
	*e = (struct err){0};
	return command_main(&fake, (int)strv_len(argv), shuffled, e);
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
	assert_int_equal(go("prog rack a.cfg --image x b.cfg --keep", &e), 0);
	assert_string_equal(seen.words, "a.cfg b.cfg");
	assert_true(seen.keep);
	assert_string_equal(seen.image, "x");

	assert_int_equal(go("prog rack --image=x -- --keep", &e), 0);
	assert_string_equal(seen.words, "--keep");
	assert_false(seen.keep);

	/* getopt keeps state between runs; the second run must not be affected. */
	assert_int_equal(go("prog build raw --image y", &e), 0);
	assert_string_equal(seen.words, "raw");

	/* The program's own options also stand before the command. */
	assert_int_equal(go("prog -q rack a.cfg", &e), 0);
	assert_int_equal(go("prog rack a.cfg --quiet", &e), 0);
	assert_string_equal(seen.words, "a.cfg");
}

static void test_repeated_options_are_all_kept(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(go("prog rack a --image x --image y --image=z -o b -o c", &e),
			 0);
	assert_string_equal(seen.image, "x y z");
	assert_string_equal(seen.output, "c");
	assert_int_equal(go("prog rack a", &e), 0);
	assert_null(seen.image);
	assert_string_equal(seen.output, "none");
}

static void test_short_options_are_those_of_the_table(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(go("prog rack -o x a.cfg", &e), 0);
	assert_string_equal(seen.words, "a.cfg");
	refuse("prog rack a.cfg -k", "rack: unknown option '-k' (see prog rack --help)");
}

static void test_wrong_options(void **state)
{
	(void)state;
	refuse("prog rack a.cfg --imagf x",
	       "rack: unknown option '--imagf' (did you mean '--image'?)");
	refuse("prog rack a.cfg --imagf=x",
	       "rack: unknown option '--imagf' (did you mean '--image'?)");
	refuse("prog rack --frobnicate a.cfg b.cfg",
	       "rack: unknown option '--frobnicate' (see prog rack --help)");
	refuse("prog rack a.cfg --image", "rack: option '--image' requires an argument");
	refuse("prog rack a.cfg -o", "rack: option '--output' requires an argument");
	refuse("prog rack a.cfg --keep=yes b", "rack: option '--keep' takes no argument");
	refuse("prog rack -xk a.cfg", "rack: unknown option '-x' (see prog rack --help)");
	refuse("prog rack a.cfg --format vmdk",
	       "rack: option '--format' must be raw, qcow2 or zst, not 'vmdk'");
	refuse("prog build raw", "build: missing option '--image FILE': a very long text "
				 "that does not fit into what is left of a line of "
				 "eighty columns");
	refuse("prog --keep rack", "unknown option '--keep' (see prog --help)");
	refuse("prog -x", "unknown option '-x' (see prog --help)");
	refuse("prog rack a.cfg -\xc3\xa9", "rack: unknown option '-\xc3\xa9' (see prog "
					    "rack --help)");
	refuse("prog rack --=x", "rack: unknown option '--' (see prog rack --help)");
	assert_int_equal(seen.runs, 0);
}

static void test_renamed_options_name_the_new_one(void **state)
{
	(void)state;
	refuse("prog rack a.cfg --picture x",
	       "rack: option '--picture' is now '--image'");
	refuse("prog rack a.cfg --picture=x",
	       "rack: option '--picture' is now '--image'");
	refuse("prog rack a.cfg --pict x", "rack: option '--pict' is now '--image'");
	refuse("prog rack a.cfg --formed", "rack: option '--formed' is now '--format'");
	refuse("prog build raw --picture x",
	       "build: unknown option '--picture' (see prog build --help)");
	refuse("prog --picture x", "unknown option '--picture' (see prog --help)");
}

static void test_ambiguous_options(void **state)
{
	struct err e;

	(void)state;
	refuse("prog rack a.cfg --ke",
	       "rack: option '--ke' is ambiguous: '--keep' or '--keep-all'");
	refuse("prog rack a.cfg --k=yes",
	       "rack: option '--k' is ambiguous: '--keep' or '--keep-all'");
	assert_int_equal(go("prog rack a.cfg --keep-", &e), 0);
	assert_true(seen.keep);
	assert_int_equal(go("prog rack a.cfg --keep", &e), 0);
	assert_true(seen.keep);
}

static void test_empty_arguments(void **state)
{
	char program[] = "prog", rack[] = "rack", a[] = "a.cfg", empty[] = "";
	char *argv[] = {program, rack, a, empty, NULL};
	struct err e = {0};

	(void)state;
	refuse("prog rack a.cfg --image=", "rack: option '--image' must not be empty");
	refuse("prog rack a.cfg --output= --output=x",
	       "rack: option '--output' must not be empty");
	assert_int_equal(command_main(&fake, 4, argv, &e), -1);
	assert_string_equal(e.msg, "rack: RACK.cfg must not be empty");
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(seen.runs, 0);
	/* It is no file's name. */
	assert_int_equal(go("prog build raw --image=", &e), 0);
	assert_string_equal(seen.image, "");
}

static void test_numbers(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(go("prog rack a", &e), 0);
	assert_int_equal(seen.seconds, 900); /* unchanged */
	assert_int_equal(go("prog rack a --seconds 60", &e), 0);
	assert_int_equal(seen.seconds, 60);
	refuse("prog rack a --seconds 61",
	       "rack: option '--seconds' must be 1 to 60 seconds, not '61'");
	refuse("prog rack a --seconds 0",
	       "rack: option '--seconds' must be 1 to 60 seconds, not '0'");
	refuse("prog rack a --seconds 1s",
	       "rack: option '--seconds' must be 1 to 60 seconds, not '1s'");
}

static void test_durations(void **state)
{
	static const struct {
		const char *args;
		uint64_t seconds;
	} good[] = {
		{"--wait 60", 60},        {"--wait 60s", 60},    {"--wait 2m", 120},
		{"--wait=2h", 7200},      {"--wait 120m", 7200}, {"--age 2", 2 * 86400},
		{"--age 36h", 36 * 3600}, {"--age 0", 0},        {"--age 3d", 3 * 86400},
	};
	static const char *const bad[] = {"0",
					  "0h",
					  "3h",
					  "121m",
					  "1d",
					  "m",
					  "",
					  "2 m",
					  "-1",
					  "1.5",
					  "5M",
					  "1h30m",
					  "307445734561825861m"};
	struct err e;

	(void)state;
	assert_int_equal(go("prog rack a", &e), 0);
	assert_int_equal(seen.seconds, 900); /* unchanged */
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_free_ char *line = xasprintf("prog rack a %s", good[i].args);

		assert_int_equal(go(line, &e), 0);
		assert_int_equal(seen.seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char option[64];
		char prog[] = "prog", rack[] = "rack", a[] = "a";
		char *argv[] = {prog, rack, a, option, NULL};
		_cleanup_free_ char *want =
			xasprintf("rack: option '--wait' must be 1s to 2h, as in 90s, "
				  "5m, 2h or 1d, not '%s'",
				  bad[i]);

		snprintf(option, sizeof(option), "--wait=%s", bad[i]);
		forget_seen();
		assert_int_equal(command_main(&fake, 4, argv, &e), -1);
		assert_string_equal(e.msg, want);
		assert_int_equal(e.code, ERR_USAGE);
	}
	refuse("prog rack a --age 73h",
	       "rack: option '--age' must be 0s to 3d, as in 90s, 5m, 2h or 1d, not "
	       "'73h'");
}

static void test_options_of_another_program(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(go("prog exec --image x raw b --image y -z", &e), 0);
	assert_string_equal(seen.image, "x");
	assert_string_equal(seen.words, "raw b --image y -z");
	assert_int_equal(go("prog exec -- raw -- b", &e), 0);
	assert_string_equal(seen.words, "raw -- b");
	refuse("prog exec -z raw", "exec: unknown option '-z' (see prog exec --help)");
}

static void test_wrong_operands(void **state)
{
	(void)state;
	refuse("prog rack", "rack: missing argument RACK.cfg: a rack file");
	refuse("prog build", "build: missing argument ACTION: raw, qcow2 or zst");
	refuse("prog build vmdk", "build: ACTION must be raw, qcow2 or zst, not 'vmdk'");
	refuse("prog build raw b c --image x", "build: unexpected argument 'c'");
	assert_int_equal(seen.runs, 0);
}

static void test_wrong_commands(void **state)
{
	(void)state;
	refuse("prog", "missing command (see prog --help)");
	refuse("prog rak a.cfg", "unknown command 'rak' (did you mean 'rack'?)");
	refuse("prog frobnicate", "unknown command 'frobnicate' (see prog --help)");
	refuse("prog help biuld", "unknown command 'biuld' (did you mean 'build'?)");
	refuse("prog help build x", "help: unexpected argument 'x'");
	assert_int_equal(seen.runs, 0);
}

/* Returns the output of the command `line` on descriptor `fd`; *ret is its exit
 * status. */
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

static void test_errors_are_printed_line_by_line(void **state)
{
	_cleanup_free_ char *text = NULL;
	int r;

	(void)state;
	text = printed(STDERR_FILENO, "prog rack !", &r);
	assert_int_equal(r, 3);
	assert_string_equal(text, "rackstrap: a.cfg:1: one\n"
				  "rackstrap: a.cfg:2: two ?[2Jand more\n");
}

static void test_help(void **state)
{
	_cleanup_free_ char *list = NULL, *rack = NULL, *build = NULL, *version = NULL,
			    *help = NULL;
	int r;

	(void)state;
	list = printed(STDOUT_FILENO, "prog --help", &r);
	assert_int_equal(r, 0);
	assert_string_equal(
		list, "Usage: prog [OPTION...] COMMAND [ARGUMENT...]\n"
		      "Boots racks.\n"
		      "\n"
		      "  rack   boot a whole rack\n"
		      "  build  bake an image\n"
		      "  exec   run another program\n"
		      "\n"
		      "  -q, --quiet  print less\n"
		      "  -h, --help   print this, or behind a command its help, and "
		      "exit\n"
		      "  --version    print the version and exit\n"
		      "\n"
		      "Exit status: 0 success, 1 failure, 2 wrong command line, 3 "
		      "wrong configuration,\n"
		      "4 not possible on this machine, 130 interrupted.\n"
		      "More in prog(1).\n");
	rack = printed(STDOUT_FILENO, "prog rack --help --bogus", &r);
	assert_int_equal(r, 0);
	assert_int_equal(seen.runs, 0);
	assert_string_equal(rack, "Usage: prog rack RACK.cfg... [OPTION...]\n"
				  "Boot a whole rack.\n"
				  "\n"
				  "  RACK.cfg          a rack file\n"
				  "  --image DIR       the image\n"
				  "  -o, --output DIR  the folder to write\n"
				  "  --keep            keep it\n"
				  "  --keep-all        keep all\n"
				  "  --format FORMAT   raw, qcow2 or zst: the format\n"
				  "  --seconds N       how long to wait\n"
				  "  --wait TIME       the same\n"
				  "  --age TIME        the same, in days\n"
				  "  -q, --quiet       print less\n"
				  "  -h, --help        print this and exit\n"
				  "\n"
				  "More in prog(1).\n");
	build = printed(STDOUT_FILENO, "prog help build", &r);
	assert_int_equal(r, 0);
	assert_non_null(strstr(build, "Usage: prog build list [--image FILE]\n"
				      "       prog build make DIR [--image FILE] "
				      "[--a-long-option LONG]\n"
				      "                  [--one FILE | --other FILE]...\n"
				      "Bake an image.\n"));
	assert_non_null(strstr(build, "  ACTION        raw, qcow2 or zst\n"));
	assert_non_null(strstr(build,
			       "  --image FILE  a very long text that does not fit "
			       "into what is left of a line\n"
			       "                of eighty columns\n"));
	help = printed(STDOUT_FILENO, "prog help", &r);
	assert_string_equal(help, list);
	version = printed(STDOUT_FILENO, "prog --version", &r);
	assert_int_equal(r, 0);
	assert_string_equal(version, "prog 1.2.3\n");
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
	r = go("prog --help", &e);
	dup2(saved, STDOUT_FILENO);
	clearerr(stdout);
	close(saved);
	close(full);
	assert_int_equal(r, -1);
	assert_string_equal(e.msg, "standard output: No space left on device");
	assert_int_equal(e.code, ERR_FAILED);
}

static void test_files_do_not_get_the_numbers_of_standard_output(void **state)
{
	int saved[3], fd, ran, wrote, got, version;
	struct err e;
	char byte;

	(void)state;
	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
		close(i);
	}
	ran = go("prog rack a.cfg", &e);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	wrote = (int)write(STDOUT_FILENO, "x", 1);
	got = (int)read(STDIN_FILENO, &byte, 1);
	version = go("prog --version", &e);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	clearerr(stdout);
	close(fd);
	assert_int_equal(ran, 0);
	assert_true(fd > STDERR_FILENO);
	/* Standard input and output are as good as closed. */
	assert_int_equal(wrote, -1);
	assert_int_equal(got, -1);
	assert_int_equal(version, -1);
	assert_string_equal(e.msg, "standard output: Bad file descriptor");
}

static int tear_down(void **state)
{
	(void)state;
	forget_seen();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_stand_anywhere),
		cmocka_unit_test(test_repeated_options_are_all_kept),
		cmocka_unit_test(test_short_options_are_those_of_the_table),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_renamed_options_name_the_new_one),
		cmocka_unit_test(test_ambiguous_options),
		cmocka_unit_test(test_empty_arguments),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_options_of_another_program),
		cmocka_unit_test(test_wrong_operands),
		cmocka_unit_test(test_wrong_commands),
		cmocka_unit_test(test_errors_are_printed_line_by_line),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_unwritable_output_is_an_error),
		cmocka_unit_test(test_files_do_not_get_the_numbers_of_standard_output),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
