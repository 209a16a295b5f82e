/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/run.h. The program starts itself as the child that checks its environment: the
 * first argument selects what the child prints.
 */
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define SELF "/proc/self/exe"

/* --- the child ------------------------------------------------------------------ */

static int show_fds(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	return 0;
}

static int show_signals(void)
{
	sigset_t set;

	sigprocmask(SIG_SETMASK, NULL, &set);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa;

		if (sigismember(&set, sig) == 1)
			printf("blocked %d ", sig);
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			printf("ignored %d ", sig);
	}
	return 0;
}

static int show_pdeathsig(void)
{
	int sig = -1;

	prctl(PR_GET_PDEATHSIG, &sig);
	printf("%d", sig);
	return 0;
}

/* Exits without waiting for a child that keeps standard output open. */
static int orphan(void)
{
	const char *argv[] = {"sleep", "60", NULL};
	struct child c;
	struct err e;

	if (run_start(&(struct run){.argv = argv}, &c, &e) < 0)
		return 1;
	_exit(0);
}

/* Runs children while its own descriptors 0, 1 and 2 are closed; reports by its exit
 * status. */
static int without_stdio(void)
{
	const char *say[] = {"sh", "-c", "echo hello; echo bad >&2", NULL};
	const char *greet[] = {"sh", "-c", "echo hello", NULL};
	const char *fail_[] = {"sh", "-c", "echo oops >&2; exit 3", NULL};
	const char *reads[] = {"sh", "-c", "read x; [ \"$x\" = hello ]", NULL};
	_cleanup_free_ char *out = NULL;
	struct err e;

	close(0);
	close(1);
	close(2);
	if (run_capture(&(struct run){.argv = say}, &out, NULL, &e) < 0 ||
	    !streq(out, "hello\n"))
		return 10;
	if (run_argv(fail_, &e) == 0 || !streq(e.msg, "sh exited with 3: oops"))
		return 11;
	if (run_input(reads, "hello\n", 6, &e) < 0)
		return 12;
	if (fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0)
		return 13;
	/* command_main() leaves them so. */
	if (open("/dev/null", O_WRONLY) != 0 || open("/dev/null", O_RDONLY) != 1 ||
	    open("/dev/null", O_RDONLY) != 2)
		return 14;
	return run_argv(greet, &e) < 0 ? 15 : 0;
}

/* From here on, the system calls that Linux 3.19 lacks fail with ENOSYS. */
static int become_old_kernel(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_copy_file_range, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	const struct sock_fprog filter = {.len = ARRAY_SIZE(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		return -errno;
	return syscall(SYS_close_range, 1000, 1000, 0) < 0 && errno == ENOSYS ? 0 : -EIO;
}

static int on_old_kernel(void)
{
	const char *fds[] = {SELF, "fds", NULL}, *sleep_[] = {"sleep", "60", NULL};
	const char *version[] = {"cat", "/proc/version", NULL};
	_cleanup_free_ char *path = NULL, *a = NULL, *b = NULL, *dir = NULL;
	int from, to;
	struct err e;

	if (become_old_kernel() < 0)
		return 20;
	if (fcntl(0, F_DUPFD, 700) < 0)
		return 21;
	if (run_capture(&(struct run){.argv = fds}, &a, NULL, &e) < 0 ||
	    !streq(a, "0 1 2 "))
		return 22;
	if (run(&(struct run){.argv = sleep_, .timeout_ms = 100}, &e) == 0 ||
	    !streq(e.msg, "sleep timed out after 100 ms"))
		return 23;
	sleep_[1] = "0.2"; /* ends before the time limit */
	if (run(&(struct run){.argv = sleep_, .timeout_ms = 60000}, &e) < 0)
		return 24;
	if (tempdir_make("/tmp", "test-lib-run", &dir) < 0)
		return 25;
	path = xasprintf("%s/f", dir);
	from = open("/proc/version", O_RDONLY | O_CLOEXEC);
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	free_p(&a);
	a = NULL;
	if (copy_fd(from, to) < 0 || file_read_at(AT_FDCWD, path, 4096, &b, NULL) < 0 ||
	    run_capture(&(struct run){.argv = version}, &a, NULL, &e) < 0 || !streq(a, b))
		return 26;
	return rm_rf_at(AT_FDCWD, dir) < 0 ? 27 : 0;
}

/* Writes 16 times 4 MiB to standard error, and reports if all but 1 MiB was freed each
 * time. */
static int flood(void)
{
	_cleanup_free_ char *chunk = xcalloc(1, 4 << 20);
	bool freed = true;
	struct stat st;

	memset(chunk, 'x', 4 << 20);
	chunk[(4 << 20) - 1] = '\n';
	for (int i = 0; i < 16 && freed; i++) {
		if (write_all(2, chunk, 4 << 20) < 0)
			return 1;
		freed = false;
		for (int ms = 0; ms < 20000 && !freed; ms++) {
			if (fstat(2, &st) < 0)
				return 1;
			freed = st.st_blocks <= 1 << 11;
			usleep(1000);
		}
	}
	dprintf(2, "%s\n", freed ? "few" : "many");
	return 3;
}

static int child(const char *what)
{
	static const struct {
		const char *name;
		int (*fn)(void);
	} table[] = {
		{"fds", show_fds},
		{"signals", show_signals},
		{"pdeathsig", show_pdeathsig},
		{"orphan", orphan},
		{"without-stdio", without_stdio},
		{"old-kernel", on_old_kernel},
		{"flood", flood},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (streq(what, table[i].name))
			return table[i].fn();
	return 99;
}

/* --- the cases ------------------------------------------------------------------ */

static char *top;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	return tempdir_make(tmp ? tmp : "/tmp", "test-lib-run", &top);
}

static int teardown(void **state)
{
	(void)state;
	rm_rf_p(&top);
	top = NULL;
	return 0;
}

static char *in_top(const char *name)
{
	return xasprintf("%s/%s", top, name);
}

/* Runs a shell script. Returns the error message when it fails, else "". */
static const char *sh(const char *text)
{
	static struct err e;
	const char *argv[] = {"sh", "-c", text, NULL};

	e = (struct err){0};
	if (run_argv(argv, &e) < 0)
		assert_int_equal(e.code, ERR_FAILED);
	return e.msg;
}

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
	assert_int_equal(e.code, ERR_FAILED);
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
	out = capture(&(struct run){.argv = argv, .timeout_ms = 30000});
	assert_string_equal(out, "");
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

static void count_tick(void)
{
	ticks++;
}

static void standard_error_is_logged_when_asked_for(void **state)
{
	const char *argv[] = {"sh", "-c",
			      "printf 'one\\n50%%\\r100%%\\n' >&2; sleep 0.2; "
			      "printf 'http://u:p@h/ \\033[2J\\nhalf' >&2",
			      NULL};
	int fd = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	char text[1024] = "";
	struct err e = {0};

	(void)state;
	ticks = 0;
	run_set_tick(count_tick);
	dup2(fd, STDERR_FILENO);
	log_setup("prog", LOG_LEVEL_DEBUG);
	assert_int_equal(run_argv(argv, &e), 0);
	log_setup("rackstrap", LOG_LEVEL_INFO);
	assert_int_equal(run_argv(argv, &e), 0);
	dup2(saved, STDERR_FILENO);
	run_set_tick(NULL);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_true(str_after(text, "prog: runs: sh -c "));
	assert_non_null(strchr(text, '\n'));
	assert_string_equal(strchr(text, '\n') + 1,
			    "prog: sh: one\nprog: sh: 50%\nprog: sh: 100%\n"
			    "prog: sh: http://h/ ?[2J\nprog: sh: half\n");
	assert_true(ticks > 2);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		CASE(status_is_reported),
		CASE(last_lines_are_reported),
		CASE(output_is_caught_and_has_no_secrets),
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
		CASE(no_descriptor_leaks),
		CASE(lack_of_descriptors_is_an_error),
	};

	if (argc == 2)
		return child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
