/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure RUNS [--before COMMAND] -- PROGRAM [ARGUMENT...]: runs a program RUNS times and
 * prints "MEDIAN-MS MIN-MS PEAK-KIB": median and minimum of its wall time, and its peak
 * resident memory. COMMAND is run by sh before each run and is not measured.
 *
 * measure --within KIB -- PROGRAM [ARGUMENT...]: runs a program once, with its output,
 * and exits with its status, or with 99 if its peak resident memory was more than that.
 *
 * The kernel's ru_maxrss includes the resident memory before execve(), which is more than
 * a small program uses itself. So the memory is VmHWM of /proc/PID/status (proc(5)), read
 * when the program is about to exit, in a separate run under ptrace(2).
 */
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "measure: %s\n", what);
	exit(1);
}

static pid_t start(char **argv, bool traced, bool quiet)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDIN_FILENO);
		if (quiet) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0)
		die("fork failed");
	return pid;
}

static double wall_ms(char **argv)
{
	double begin = now();
	pid_t pid = start(argv, false, true);
	int status;

	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		die("the program failed");
	return now() - begin;
}

static unsigned long peak_of(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/status", (int)pid), *text = NULL;
	const char *line;

	if (file_read_at(AT_FDCWD, path, 1 << 16, &text, NULL) < 0)
		return 0;
	line = strstr(text, "\nVmHWM:");
	return line ? strtoul(line + strlen("\nVmHWM:"), NULL, 10) : 0;
}

/* Returns the peak memory of the program, and sets *ret_status to waitpid()'s. */
static unsigned long peak_kib(char **argv, bool quiet, int *ret_status)
{
	pid_t pid = start(argv, true, quiet);
	unsigned long peak = 0;
	int status;

	/* The program stops first at execve(). */
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT) < 0)
		die("the program cannot be traced");
	for (int signal = 0;;) {
		if (ptrace(PTRACE_CONT, pid, NULL, signal) < 0 ||
		    waitpid(pid, &status, 0) < 0)
			die("the program cannot be traced");
		*ret_status = status;
		if (!WIFSTOPPED(status))
			return peak;
		signal = WSTOPSIG(status);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			peak = peak_of(pid);
			signal = 0;
		}
	}
}

static void before(const char *command)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	struct err e;

	if (command && run_argv(argv, &e) < 0)
		die(e.msg);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int within(unsigned long most, char **argv)
{
	int status;
	unsigned long peak = peak_kib(argv, false, &status);

	if (peak == 0 || peak > most) {
		fprintf(stderr, "measure: it used %lu KiB, more than %lu\n", peak, most);
		return 99;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const char *prepare = NULL;
	double ms[RUNS_MAX];
	int at = 2, status;
	size_t runs;

	if (argc > 4 && streq(argv[1], "--within") && streq(argv[3], "--"))
		return within(strtoul(argv[2], NULL, 10), argv + 4);

	if (argc > 4 && streq(argv[2], "--before")) {
		prepare = argv[3];
		at = 4;
	}
	runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	if (argc < at + 2 || runs < 1 || runs > RUNS_MAX || !streq(argv[at], "--"))
		die("usage: measure RUNS [--before COMMAND] -- PROGRAM [ARGUMENT...]");
	argv += at + 1;
	for (size_t i = 0; i < runs; i++) {
		before(prepare);
		ms[i] = wall_ms(argv);
	}
	qsort(ms, runs, sizeof(*ms), by_size);
	before(prepare);
	printf("%.2f %.2f %lu\n", ms[runs / 2], ms[0], peak_kib(argv, true, &status));
	return 0;
}
