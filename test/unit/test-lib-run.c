/* SPDX-License-Identifier: Apache-2.0 */
/* lib/run.h: how a program is started, and what it inherits. */
#include "test-lib-run.h"

#include <sys/resource.h>

static char *capture(const struct run *r)
{
	struct err e = {0};
	char *out = NULL;

	if (run_capture(r, &out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

static char *capture_self(const char *what, bool detach)
{
	const char *argv[] = {SELF, what, NULL};

	return capture(&(struct run){.argv = argv, .detach = detach});
}

static void status_is_reported(void **state)
{
	(void)state;
	assert_string_equal(sh("exit 0"), "");
	assert_string_equal(sh("echo ignored >&2"), "");
	assert_string_equal(sh("exit 3"), "sh exited with 3");
	assert_string_equal(sh("echo why >&2; exit 3"), "sh exited with 3: why");
	assert_string_equal(sh("kill -SEGV $$"), "sh was killed by SIGSEGV");
	assert_string_equal(sh("echo why >&2; kill -KILL $$"),
			    "sh was killed by SIGKILL: why");
	assert_string_equal(sh("kill -40 $$"), "sh was killed by signal 40");
}

static void failures_to_start_are_distinguished(void **state)
{
	static const struct {
		const char *file;
		mode_t mode;
		const char *text, *want;
	} cases[] = {
		{"plain", 0644, "#!/bin/sh\n", "%s: not executable"},
		{"bad-interpreter", 0755, "#!/nonexistent/sh\n",
		 "%s: cannot be run: its interpreter is not found"},
		{"noise", 0755, "\x01\x02\x03", "%s: not a program for this machine"},
		{NULL, 0, NULL, "%s: not found"},
	};
	const char *argv[] = {"no-such-program-anywhere", NULL};
	struct err e = {0};

	(void)state;
	assert_int_equal(run_argv(argv, &e), -1);
	assert_string_equal(e.msg, "no-such-program-anywhere: not found in PATH");
	assert_int_equal(e.code, ERR_UNABLE);
	argv[0] = "";
	assert_int_equal(run_argv(argv, &e), -1);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path =
			in_top(cases[i].file ? cases[i].file : "none");
		struct buf want = {0};

		if (cases[i].file)
			assert_int_equal(file_write_at(AT_FDCWD, path, cases[i].text,
						       strlen(cases[i].text),
						       cases[i].mode),
					 0);
		buf_puts(&want, path);
		buf_puts(&want, cases[i].want + 2);
		argv[0] = path;
		assert_int_equal(run_argv(argv, &e), -1);
		assert_string_equal(e.msg, want.p);
		buf_done(&want);
	}
}

static void program_is_looked_up_in_path(void **state)
{
	_cleanup_free_ char *old = xstrdup(getenv("PATH")), *file = in_top("tool");
	_cleanup_free_ char *folder = in_top("folder"), *found = NULL;
	const char *argv[] = {"tool", NULL};
	struct err e = {0};

	(void)state;
	setenv("PATH", top, 1);
	assert_false(run_have("tool"));
	assert_int_equal(file_write_at(AT_FDCWD, file, "#!/bin/sh\nexit 7\n", 17, 0644),
			 0);
	assert_false(run_have("tool"));
	assert_int_equal(run_argv(argv, &e), -1);
	assert_string_equal(e.msg, "tool: in PATH, but not executable");
	assert_int_equal(chmod(file, 0755), 0);
	assert_true(run_have("tool"));
	assert_int_equal(run_argv(argv, &e), -1);
	assert_string_equal(e.msg, "tool exited with 7");
	found = run_find("tool");
	assert_string_equal(found, file);
	assert_true(run_have(file));
	assert_false(run_have(folder));
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_false(run_have(folder));
	assert_false(run_have("folder"));
	assert_false(run_have(""));

	/* An ordinary user's PATH has no sbin, but servers are installed there. */
	setenv("PATH", "/nonexistent", 1);
	assert_true(run_have("nologin")); /* in /usr/sbin on every Debian */
	unsetenv("PATH");
	assert_true(run_have("sh"));
	setenv("PATH", old, 1);
}

static void working_folder_is_set(void **state)
{
	const char *argv[] = {"pwd", NULL};
	_cleanup_free_ char *out = capture(&(struct run){.argv = argv, .cwd = top});
	_cleanup_free_ char *want = xasprintf("%s\n", top);
	struct err e = {0};

	(void)state;
	assert_string_equal(out, want);
	assert_int_equal(run(&(struct run){.argv = argv, .cwd = "/nonexistent"}, &e), -1);
	assert_string_equal(
		e.msg, "pwd: cannot start in /nonexistent: No such file or directory");
}

static void environment_is_extended(void **state)
{
	const char *argv[] = {"env", NULL};
	const char *add[] = {"RS_A=new", "RS_B=2", "RS_B=3", "RS_AB=x", NULL};
	_cleanup_free_ char *out = NULL, *ours = NULL;
	_cleanup_strv_ char **lines = NULL, **found = NULL;

	(void)state;
	setenv("RS_A", "old", 1);
	setenv("RS_C", "kept", 1);
	out = capture(&(struct run){.argv = argv, .env = add});
	lines = strv_split(out, "\n");
	for (size_t i = 0; lines && lines[i]; i++)
		if (str_after(lines[i], "RS_"))
			strv_add(&found, lines[i]);
	ours = strv_join(found, " ");
	assert_string_equal(ours, "RS_A=new RS_C=kept RS_B=3 RS_AB=x"); /* each once */
	assert_string_equal(getenv("RS_A"), "old");
	unsetenv("RS_A");
	unsetenv("RS_C");
}

/* Descriptors that were left open without O_CLOEXEC are not inherited. */
static void only_three_descriptors_are_inherited(void **state)
{
	int low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 500);
	_cleanup_free_ char *out = capture_self("fds", false);

	(void)state;
	assert_true(high >= 500);
	assert_string_equal(out, "0 1 2 ");
	close(low);
	close(high);
}

static void descriptors_are_placed(void **state)
{
	const char *argv[] = {"sh", "-c", "cat; echo out; echo err >&2", NULL};
	_cleanup_free_ char *path = in_top("f"), *got = NULL;
	_cleanup_close_ int in = -1, out = -1;
	struct err e = {0};

	(void)state;
	assert_int_equal(file_write_at(AT_FDCWD, path, "in\n", 3, 0600), 0);
	in = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	assert_int_equal(
		run(&(struct run){.argv = argv, .in = in, .out = out, .err = out}, &e),
		0);
	assert_int_equal(file_read_at(AT_FDCWD, path, 100, &got, NULL), 0);
	assert_string_equal(got, "in\nout\nerr\n");
}

/* Standard descriptors may be swapped: each is moved away before it is overwritten. */
static void descriptors_may_be_swapped(void **state)
{
	const char *argv[] = {"sh", "-c", "echo out; echo err >&2", NULL};
	_cleanup_free_ char *a = in_top("a"), *b = in_top("b"), *got_a = NULL,
			    *got_b = NULL;
	int saved[] = {dup(1), dup(2)}, r;
	struct err e = {0};

	(void)state;
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		int fd = open(i == 0 ? a : b, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		dup2(fd, 1 + i);
		close(fd);
	}
	r = run(&(struct run){.argv = argv, .out = 2, .err = 1}, &e);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	assert_int_equal(r, 0);
	assert_int_equal(file_read_at(AT_FDCWD, a, 100, &got_a, NULL), 0);
	assert_int_equal(file_read_at(AT_FDCWD, b, 100, &got_b, NULL), 0);
	assert_string_equal(got_a, "err\n");
	assert_string_equal(got_b, "out\n");
}

static void run_works_without_stdio(void **state)
{
	const char *argv[] = {SELF, "without-stdio", NULL};
	struct err e = {0};

	(void)state;
	if (run_argv(argv, &e) < 0)
		fail_msg("%s", e.msg);
}

static void run_works_on_old_kernels(void **state)
{
	const char *argv[] = {SELF, "old-kernel", NULL};
	struct err e = {0};

	(void)state;
	if (run_argv(argv, &e) < 0)
		fail_msg("%s", e.msg);
}

static void input_is_empty_by_default(void **state)
{
	const char *argv[] = {"wc", "-c", NULL};
	_cleanup_free_ char *out = capture(&(struct run){.argv = argv});

	(void)state;
	assert_string_equal(out, "0\n");
}

static void signals_are_reset(void **state)
{
	_cleanup_free_ char *out = NULL;
	sigset_t set, old, now;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	out = capture_self("signals", false);
	sigprocmask(SIG_SETMASK, &old, &now);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	assert_string_equal(out, "");
	assert_true(sigismember(&now, SIGUSR1)); /* our mask is unchanged */
	assert_false(sigismember(&now, SIGTERM));
}

static void child_dies_with_its_parent(void **state)
{
	_cleanup_free_ char *attached = capture_self("pdeathsig", false);
	_cleanup_free_ char *detached = capture_self("pdeathsig", true);
	const char *argv[] = {SELF, "orphan", NULL};
	_cleanup_free_ char *out = NULL;

	(void)state;
	assert_string_equal(attached, "15");
	assert_string_equal(detached, "0");
	/* If the orphan were alive, its standard output would stay open beyond the
	 * timeout. */
	out = capture(&(struct run){.argv = argv, .timeout_ms = 300000});
	assert_string_equal(out, "");
}

static size_t open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void no_descriptor_leaks(void **state)
{
	const char *ok[] = {"true", NULL}, *none[] = {"/nonexistent", NULL};
	const char *bad[] = {"false", NULL};
	size_t before = open_fds();
	char *out;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(run_argv(ok, NULL), 0);
		assert_int_equal(run_argv(bad, NULL), -1);
		assert_int_equal(run_argv(none, NULL), -1);
		assert_int_equal(run_input(ok, "x", 1, NULL), 0);
		assert_int_equal(run_capture(&(struct run){.argv = ok}, &out, NULL, NULL),
				 0);
		free(out);
		assert_int_equal(
			run_capture(&(struct run){.argv = bad}, &out, NULL, NULL), -1);
		assert_int_equal(
			run_capture(&(struct run){.argv = none}, &out, NULL, NULL), -1);
	}
	assert_int_equal(open_fds(), before);
}

/* Without a free descriptor run() returns an error and does not hang. */
static void lack_of_descriptors_is_an_error(void **state)
{
	const char *argv[] = {"true", NULL};
	struct rlimit limit;
	struct err e = {0};
	int r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){6, limit.rlim_max}),
			 0);
	r = run_argv(argv, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, -1);
	assert_true(str_ends(e.msg, "Too many open files") ||
		    str_ends(e.msg, "Invalid argument"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		CASE(status_is_reported),
		CASE(failures_to_start_are_distinguished),
		CASE(program_is_looked_up_in_path),
		CASE(working_folder_is_set),
		CASE(environment_is_extended),
		CASE(only_three_descriptors_are_inherited),
		CASE(descriptors_are_placed),
		CASE(descriptors_may_be_swapped),
		CASE(run_works_without_stdio),
		CASE(run_works_on_old_kernels),
		CASE(input_is_empty_by_default),
		CASE(signals_are_reset),
		CASE(child_dies_with_its_parent),
		CASE(no_descriptor_leaks),
		CASE(lack_of_descriptors_is_an_error),
	};

	if (argc == 2)
		return child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
