/* SPDX-License-Identifier: Apache-2.0 */
/* lib/run.h: the input, the output and the end of a program. */
#include "test-lib-run.h"

#include "lib/log.h"

#include <sys/mman.h>
#include <sys/wait.h>

static void last_lines_are_reported(void **state)
{
	const char *msg;

	(void)state;
	assert_string_equal(sh("printf 'a\\n\\n  b  \\nlast' >&2; exit 1"),
			    "sh exited with 1: a; b; last");
	assert_string_equal(sh("for i in 1 2 3 4 5 6 7; do echo $i; done >&2; exit 1"),
			    "sh exited with 1: 3; 4; 5; 6; 7");
	assert_string_equal(
		sh("printf '10%%\\r20%%\\r100%%\\r\\nE: no\\r\\n' >&2; exit 1"),
		"sh exited with 1: 100%; E: no");
	assert_string_equal(sh("printf 'a\\0b\\n' >&2; exit 1"), "sh exited with 1: a b");

	/* Much more output than is kept: the kept part begins with a whole line. */
	msg = sh("i=0; while [ $i -lt 3000 ]; do echo line-$i; i=$((i+1)); done >&2; "
		 "exit 1");
	assert_string_equal(msg, "sh exited with 1: "
				 "line-2995; line-2996; line-2997; line-2998; line-2999");
	/* One line longer than the kept part: the words at its end are kept. */
	msg = sh("yes word | head -n 10000 | tr '\\n' ' ' >&2; echo END >&2; exit 1");
	assert_non_null(str_after(msg, "sh exited with 1: ... word word"));
	assert_true(str_ends(msg, "word END"));
	assert_true(strlen(msg) < 1100);
	msg = sh("head -c 100000 /dev/zero | tr '\\0' x >&2; echo 'x?k=1 END' >&2; exit "
		 "1");
	assert_string_equal(msg, "sh exited with 1: ... END");
	/* The cut is behind the '='. */
	msg = sh("printf 'http://h/?sig=TOKEN failed ' >&2; head -c 1009 /dev/zero | "
		 "tr '\\0' x >&2; exit 1");
	assert_null(strstr(msg, "TOKEN"));
}

/* The output of a program reaches the terminal in the error only, and is harmless there.
 */
static void output_is_caught_and_has_no_secrets(void **state)
{
	const char *argv[] = {"sh", "-c", "echo '\033[2J'; echo noise >&2", NULL};
	int saved = dup(1), taken = memfd_create("stdout", MFD_CLOEXEC);
	struct stat st;
	struct err e;
	int r;

	(void)state;
	assert_string_equal(
		sh("printf 'out\\n'; printf '\\033[2Jerr\\302\\2332J\\n' >&2; exit 1"),
		"sh exited with 1: out; ?[2Jerr??2J");
	assert_string_equal(
		sh("echo 'proxy \"http://me:secret@proxy:3128\": 407' >&2;"
		   "echo 'Get https://cdn/blob?Signature=secret: 403' >&2; exit 1"),
		"sh exited with 1: proxy \"http://proxy:3128\": 407; "
		"Get https://cdn/blob 403");
	fflush(stdout);
	dup2(taken, 1);
	r = run_argv(argv, &e);
	dup2(saved, 1);
	close(saved);
	assert_int_equal(r, 0);
	assert_int_equal(fstat(taken, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(taken);
}

static void capture_is_whole(void **state)
{
	const char *binary[] = {"printf", "a\\0b\\n", NULL};
	const char *big[] = {"head", "-c", "16777216", "/dev/zero", NULL};
	const char *over[] = {"head", "-c", "16777217", "/dev/zero", NULL};
	const char *endless[] = {"cat", "/dev/zero", NULL};
	struct err e = {0};
	char *out = NULL;
	size_t len;

	(void)state;
	assert_int_equal(run_capture(&(struct run){.argv = binary}, &out, &len, &e), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(out, "a\0b\n", 5);
	free(out);
	assert_int_equal(run_capture(&(struct run){.argv = big}, &out, &len, &e), 0);
	assert_int_equal(len, 16777216);
	free(out);
	out = NULL;
	assert_int_equal(run_capture(&(struct run){.argv = over}, &out, &len, &e), -1);
	assert_string_equal(e.msg, "head: more than 16 MiB of output");
	assert_int_equal(run_capture(&(struct run){.argv = endless}, &out, &len, &e), -1);
	assert_string_equal(e.msg, "cat: more than 16 MiB of output");
	assert_null(out);
}

static void output_and_files_are_limited(void **state)
{
	_cleanup_free_ char *file = in_top("large");
	_cleanup_free_ char *to = xasprintf("of=%s", file);
	const char *output[] = {"head", "-c", "1048577", "/dev/zero", NULL};
	const char *writes[] = {"dd", "if=/dev/zero", to, "bs=65536", "count=100", NULL};
	struct err e = {0};
	char *out = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(run_capture(&(struct run){.argv = output, .output_max = 1 << 20},
				     &out, NULL, &e),
			 -1);
	assert_string_equal(e.msg, "head: more than 1 MiB of output");
	assert_int_equal(run(&(struct run){.argv = writes, .file_max = 100000}, &e), -1);
	assert_string_equal(e.msg, "dd was stopped: a file that it writes is larger than "
				   "the limit of 100000 bytes");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, 100000);
	assert_int_equal(run(&(struct run){.argv = writes, .file_max = 6553600}, &e), 0);
}

static void standard_error_needs_little_memory(void **state)
{
	const char *argv[] = {SELF, "flood", NULL};
	_cleanup_child_ struct child c = {.errfd = -1};
	struct err e = {0};
	char *out = NULL;

	(void)state;
	assert_int_equal(run_argv(argv, &e), -1);
	assert_true(str_ends(e.msg, ": few"));
	assert_int_equal(run_capture(&(struct run){.argv = argv}, &out, NULL, &e), -1);
	assert_true(str_ends(e.msg, ": few"));
	assert_int_equal(run_start(&(struct run){.argv = argv}, &c, &e), 0);
	while (!run_ended(&c, 20))
		;
	assert_int_equal(run_wait(&c, &e), -1);
	assert_true(str_ends(e.msg, ": few"));
}

static unsigned ticks;
static int tick_fd; /* gets an empty line each time */

static void count_tick(void)
{
	ticks++;
	assert_int_equal(write(tick_fd, "\n", 1), 1);
}

static void standard_error_is_logged_when_asked_for(void **state)
{
	const char *argv[] = {"sh", "-c",
			      "printf 'one\\n50%%\\r100%%\\n' >&2; read x; read x; "
			      "read x; "
			      "printf 'http://u:p@h/ \\033[2J\\nhalf' >&2",
			      NULL};
	int fd = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	char text[1024] = "";
	struct err e = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	tick_fd = ends[1];
	ticks = 0;
	run_set_tick(count_tick);
	dup2(fd, STDERR_FILENO);
	log_setup("prog", LOG_LEVEL_DEBUG);
	assert_int_equal(run(&(struct run){.argv = argv, .in = ends[0]}, &e), 0);
	log_setup("rackstrap", LOG_LEVEL_INFO);
	assert_int_equal(run(&(struct run){.argv = argv, .in = ends[0]}, &e), 0);
	close(ends[0]);
	close(ends[1]);
	dup2(saved, STDERR_FILENO);
	run_set_tick(NULL);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_true(str_after(text, "prog: runs: sh -c "));
	assert_non_null(strchr(text, '\n'));
	assert_string_equal(strchr(text, '\n') + 1,
			    "prog: sh: one\nprog: sh: 50%\nprog: sh: 100%\n"
			    "prog: sh: http://h/ ?[2J\nprog: sh: half\n");
	assert_true(ticks >= 6);
	close(fd);
	close(saved);
}

/* The password of a URL crosses each limit at which a long line could be split. */
static void long_line_keeps_no_password(void **state)
{
	int fd = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	_cleanup_free_ char *text = xcalloc(1 << 19, 1);
	char script[] = "printf '%0*d http://u:%s%s@h/ end' $0 0 pass word >&2", at[16];
	const char *argv[] = {"bash", "-c", script, at, NULL};
	struct err e = {0};

	(void)state;
	dup2(fd, STDERR_FILENO);
	log_setup("prog", LOG_LEVEL_DEBUG);
	for (unsigned size = 4096; size <= 16384; size *= 2)
		for (unsigned before = 14; before < 23; before += 4) {
			snprintf(at, sizeof(at), "%u", size - before);
			assert_int_equal(run_argv(argv, &e), 0);
		}
	log_setup("rackstrap", LOG_LEVEL_INFO);
	dup2(saved, STDERR_FILENO);
	assert_true(pread(fd, text, (1 << 19) - 1, 0) > 0);
	assert_non_null(strstr(text, "http://h/ end"));
	for (char *s = text; (s = strstr(s, "word")); s++)
		assert_memory_equal(s, "word >&2", 8); /* the program's arguments */
	close(fd);
	close(saved);
}

static void end_is_waited_for(void **state)
{
	const char *cat[] = {"cat", NULL};
	_cleanup_child_ struct child c = {.errfd = -1};
	struct err e = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(run_start(&(struct run){.argv = cat, .in = ends[0]}, &c, &e), 0);
	close(ends[0]);
	assert_false(run_ended(&c, 1));
	close(ends[1]);
	while (!run_ended(&c, 1000))
		;
	assert_true(run_ended(&c, 0));
	assert_int_equal(run_wait(&c, &e), 0);
}

static void failed_capture_gives_nothing(void **state)
{
	const char *argv[] = {"sh", "-c", "echo partial; echo no >&2; exit 2", NULL};
	struct err e = {0};
	char *out = NULL;

	(void)state;
	assert_int_equal(run_capture(&(struct run){.argv = argv}, &out, NULL, &e), -1);
	assert_string_equal(e.msg, "sh exited with 2: no");
	assert_null(out);
}

static void input_is_passed(void **state)
{
	_cleanup_free_ char *path = in_top("f"), *got = NULL, *data = xmalloc(3 << 20);
	const char *save[] = {"dd", NULL, "status=none", NULL}, *no[] = {"true", NULL};
	_cleanup_free_ char *of = xasprintf("of=%s", path);
	struct err e = {0};
	size_t len;

	(void)state;
	save[1] = of;
	for (size_t i = 0; i < 3 << 20; i++)
		data[i] = (char)(i * 13);
	if (run_input(save, data, 3 << 20, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(file_read_at(AT_FDCWD, path, SIZE_MAX, &got, &len), 0);
	assert_int_equal(len, 3 << 20);
	assert_memory_equal(got, data, len);
	/* A program that does not read its input causes no error and no SIGPIPE. */
	assert_int_equal(run_input(no, data, 3 << 20, &e), 0);
	assert_int_equal(run_input(no, NULL, 0, &e), 0);
}

static void timeout_ends_the_child(void **state)
{
	const char *sleep_[] = {"sh", "-c", "echo busy >&2; exec sleep 60", NULL};
	const char *deaf[] = {"sh", "-c", "trap '' TERM; echo deaf; exec sleep 60 >&-",
			      NULL};
	struct err e = {0};
	char *out = NULL;

	(void)state;
	assert_int_equal(run(&(struct run){.argv = sleep_, .timeout_ms = 300}, &e), -1);
	assert_non_null(str_after(e.msg, "sh timed out after 300 ms"));
	assert_int_equal(e.code, ERR_FAILED);
	assert_int_equal(run_capture(&(struct run){.argv = sleep_, .timeout_ms = 1000},
				     &out, NULL, &e),
			 -1);
	assert_non_null(str_after(e.msg, "sh timed out after 1 s"));
	/* ignores SIGTERM, and closes its output before it ends */
	assert_int_equal(run_capture(&(struct run){.argv = deaf, .timeout_ms = 300}, &out,
				     NULL, &e),
			 -1);
	assert_non_null(str_after(e.msg, "sh timed out after 300 ms"));
	assert_null(out);
	assert_int_equal(run(&(struct run){.argv = (const char *[]){"true", NULL},
					   .timeout_ms = 60000},
			     &e),
			 0);
}

/* Returns whether the process has ended and was reaped. */
static bool gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH && waitpid(pid, NULL, 0) < 0 &&
	       errno == ECHILD;
}

static void children_are_ended(void **state)
{
	const char *argv[] = {"sleep", "60", NULL};
	const char *deaf[] = {"sh", "-c", "trap '' TERM; echo; exec sleep 60", NULL};
	struct child c;
	struct err e;
	int ends[2];
	pid_t pid;
	char x;

	(void)state;
	assert_int_equal(run_start(&(struct run){.argv = argv}, &c, &e), 0);
	pid = c.pid;
	assert_int_equal(kill(pid, 0), 0);
	run_kill(&c, 60000); /* sleep ends at once */
	assert_int_equal(c.pid, 0);
	assert_true(gone(pid));
	child_done(&c);

	assert_int_equal(run_start(&(struct run){.argv = argv}, &c, &e), 0);
	pid = c.pid;
	child_done(&c);
	assert_true(gone(pid));
	child_done(&c); /* a second call is allowed */

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(run_start(&(struct run){.argv = deaf, .out = ends[1]}, &c, &e),
			 0);
	assert_int_equal(read(ends[0], &x, 1), 1); /* it ignores SIGTERM from here on */
	pid = c.pid;
	run_kill(&c, 50);
	assert_true(gone(pid));
	child_done(&c);
	close(ends[0]);
	close(ends[1]);

	/* a child that has ended by itself */
	argv[1] = "0";
	assert_int_equal(run_start(&(struct run){.argv = argv}, &c, &e), 0);
	pid = c.pid;
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	run_kill(&c, 1000);
	assert_true(gone(pid));
	child_done(&c);
}

static void empty_child_is_harmless(void **state)
{
	struct child c = {0};
	struct err e = {0};

	(void)state;
	run_kill(&c, 1000);
	child_done(&c);
	assert_true(fcntl(0, F_GETFD) >= 0); /* errfd 0 was not closed */
	c = (struct child){0};
	assert_int_equal(run_wait(&c, &e), -1);
}

static void failed_start_gives_an_empty_child(void **state)
{
	const char *argv[] = {"/nonexistent", NULL};
	struct child c = {.pid = 1, .errfd = 0};

	(void)state;
	assert_int_equal(run_start(&(struct run){.argv = argv}, &c, NULL), -1);
	assert_int_equal(c.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(errno, ECHILD);
	child_done(&c);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		CASE(last_lines_are_reported),
		CASE(output_is_caught_and_has_no_secrets),
		CASE(capture_is_whole),
		CASE(output_and_files_are_limited),
		CASE(standard_error_needs_little_memory),
		CASE(standard_error_is_logged_when_asked_for),
		CASE(long_line_keeps_no_password),
		CASE(end_is_waited_for),
		CASE(failed_capture_gives_nothing),
		CASE(input_is_passed),
		CASE(timeout_ends_the_child),
		CASE(children_are_ended),
		CASE(empty_child_is_harmless),
		CASE(failed_start_gives_an_empty_child),
	};

	if (argc == 2)
		return child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
