/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts programs by argument vector, never through a shell. Nothing else in this
 * repository spawns processes. Children have only the descriptors 0, 1 and 2 and default
 * signal dispositions. They are sent SIGTERM when the thread that started them ends
 * (PR_SET_PDEATHSIG), unless `detach`.
 */
#pragma once

#include "lib/err.h"
#include "lib/follow.h"
#include "lib/run-user.h"

#include <sys/types.h>

struct run {
	const char *const *argv; /* argv[0] is looked up in PATH, then in the sbin
				  * folders, which the PATH of an ordinary user does not
				  * have; with a slash it is a path, relative to cwd */
	const char *const *env;  /* "NAME=value", added to the environment, or NULL */
	int in, out, err;        /* descriptors for 0, 1 and 2. 0 or -1 means: /dev/null
				  * for in; for err, a file whose last lines become part
				  * of the error message; for out, the same as err.
				  * Nothing that a program prints reaches the terminal */
	bool stdio;              /* it gets this process's own 0, 1 and 2 instead */
	bool only_env;           /* the program gets nothing else of the environment */
	const char *cwd;         /* working directory, or NULL: the parent's */
	unsigned timeout_ms;     /* since the start; run_wait and run_capture then kill it
				  * (SIGTERM, and SIGKILL 2 s later); 0: none */
	uint64_t file_max;       /* bytes of the largest file that it may write, or it is
				  * killed by SIGXFSZ (RLIMIT_FSIZE), and the error says
				  * so; 0: no limit */
	size_t output_max;       /* of run_capture(), whole MiB; 0: 16 MiB */
	unsigned nofile;         /* soft limit of open files, or as many as the hard limit
				  * allows if that cannot be raised; 0: unchanged */
	const struct run_user *user; /* whom the child becomes first, or NULL */
	bool detach;                 /* the child outlives its parent: no PDEATHSIG */
	/* Called in the child with `enter_arg` before the program is executed, or NULL.
	 * Returns 0 or -errno, which run_start reports. It must not use malloc, stdio
	 * streams or locks. It may fork and return in the new process: the old one then
	 * waits for it and exits with its status. */
	int (*enter)(void *arg);
	void *enter_arg;
};

struct child {
	pid_t pid;        /* 0: none */
	const char *name; /* points into argv[0], which must live as long */
	int errfd;        /* memfd with its standard error, of which run_wait, run_ended
			   * and run_capture keep about 1 MiB; 0 or -1: none. With the
			   * log level LOG_LEVEL_DEBUG its lines are logged as well */
	struct follow logged; /* of errfd */
	unsigned timeout_ms;
	uint64_t deadline; /* CLOCK_MONOTONIC, ms; 0: none */
	uint64_t file_max; /* that of struct run */
};

/* Starts a program. Returns 0, or -1 with the reason: not found, or not executable. */
int run_start(const struct run *r, struct child *ret, struct err *e) _must_check_;

/*
 * Waits for the child and empties *c. Returns 0 when it exited with 0. Otherwise returns
 * -1 with "<name> exited with 3: <last lines>", "<name> was killed by SIGSEGV" or "<name>
 * timed out after 5 s"; the last lines of its standard error are joined by "; ".
 */
int run_wait(struct child *c, struct err *e) _must_check_;

/* Waits for the child, without its timeout, and empties *c. Returns its exit status, or
 * 128 plus the signal that killed it, as shells do. Sets *ret_signal to that signal, or
 * to 0. */
int run_wait_status(struct child *c, int *ret_signal);

/* Sets a function that is called now and then while this process waits for a child, or
 * NULL. */
void run_set_tick(void (*tick)(void));

/* Waits at most `ms` for the child to end. Returns whether it has ended, or has reached
 * its timeout, so that run_wait() returns at once. */
bool run_ended(struct child *c, int ms);

/* Sends SIGTERM, and SIGKILL after `grace_ms`, and reaps. Does nothing with an empty
 * child. */
void run_kill(struct child *c, unsigned grace_ms);
void child_done(struct child *c); /* kills it without grace, closes errfd */
#define _cleanup_child_ _cleanup_(child_done)

/* Start a program and wait for it. Return as run_start and run_wait do. */
int run(const struct run *r, struct err *e) _must_check_;
int run_argv(const char *const *argv, struct err *e) _must_check_;

/*
 * Starts a program, reads its standard output until every process that inherited it has
 * closed it, and waits. More than r->output_max is an error. *ret is owned by the caller
 * and NUL-terminated; `ret_len` may be NULL. Ignores r->out.
 */
int run_capture(const struct run *r, char **ret, size_t *ret_len,
		struct err *e) _must_check_;

/* Does what run_argv does, with `len` bytes of `data` as standard input. */
int run_input(const char *const *argv, const void *data, size_t len,
	      struct err *e) _must_check_;

/* Returns the path of the executable that run_start would start for `name`, owned by the
 * caller, or NULL. */
char *run_find(const char *name);
/* Returns true when run_find finds `name`. */
bool run_have(const char *name);
