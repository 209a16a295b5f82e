/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of lib/run.h. Such a program starts itself as the child that checks its
 * environment: the first argument selects what the child prints.
 */
#pragma once

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"
#include "test-tempdir.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define SELF "/proc/self/exe"

static inline int show_fds(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	return 0;
}

static inline int show_signals(void)
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

static inline int show_pdeathsig(void)
{
	int sig = -1;

	prctl(PR_GET_PDEATHSIG, &sig);
	printf("%d", sig);
	return 0;
}

/* Exits without waiting for a child that keeps standard output open. */
static inline int orphan(void)
{
	const char *argv[] = {"sleep", "1000", NULL};
	struct child c;
	struct err e;

	if (run_start(&(struct run){.argv = argv}, &c, &e) < 0)
		return 1;
	_exit(0);
}

/* Runs children while its own descriptors 0, 1 and 2 are closed; reports by its exit
 * status. */
static inline int without_stdio(void)
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
static inline int become_old_kernel(void)
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

static inline int on_old_kernel(void)
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
static inline int flood(void)
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
		for (int ms = 0; ms < 300000 && !freed; ms++) {
			if (fstat(2, &st) < 0)
				return 1;
			freed = st.st_blocks <= 1 << 11;
			usleep(1000);
		}
	}
	dprintf(2, "%s\n", freed ? "few" : "many");
	return 3;
}

static inline int child(const char *what)
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

static char *top;

static inline int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	return tempdir_make(tmp ? tmp : "/tmp", "test-lib-run", &top);
}

static inline int teardown(void **state)
{
	(void)state;
	rm_rf_p(&top);
	top = NULL;
	return 0;
}

static inline char *in_top(const char *name)
{
	return xasprintf("%s/%s", top, name);
}

/* Runs a shell script. Returns the error message when it fails, else "". */
static inline const char *sh(const char *text)
{
	static struct err e;
	const char *argv[] = {"sh", "-c", text, NULL};

	e = (struct err){0};
	if (run_argv(argv, &e) < 0)
		assert_int_equal(e.code, ERR_FAILED);
	return e.msg;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
