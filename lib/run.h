/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs, always by argument vector, never through a shell. The only place
 * that spawns. Children get no descriptors but 0, 1 and 2, default signal
 * dispositions, and are sent SIGTERM when their parent dies (PR_SET_PDEATHSIG, which
 * means the thread that started them) unless `detach`.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

struct run {
	const char *const *argv; /* argv[0] is looked up in PATH, then in the sbin folders
				  * (an ordinary user's PATH has none); with a slash it is
				  * a path, relative to cwd */
	const char *const *env;  /* "NAME=value" added to our environment, or NULL */
	int in, out, err;        /* descriptors for 0, 1, 2: 0 or -1 means /dev/null for
				  * in, ours for out; for err: kept aside and its last
				  * lines put into the error message */
	const char *cwd;         /* or NULL */
	unsigned timeout_ms;     /* since its start; run_wait and run_capture kill it then
				  * (SIGTERM, and SIGKILL 2 s later); 0: none */
	bool detach;             /* no PDEATHSIG */
};

struct child {
	pid_t pid;        /* 0: none */
	const char *name; /* within argv[0], which must live as long */
	int errfd;        /* memfd with what it said; 0 or -1: none */
	unsigned timeout_ms;
	uint64_t deadline; /* CLOCK_MONOTONIC, ms; 0: none */
};

/* Starts it. -1: not found or not executable, told apart in the message. */
int run_start(const struct run *r, struct child *ret, struct err *e) _must_check_;

/*
 * Waits for it. 0 when it exited 0. Otherwise -1 and "<name> exited with 3: <last
 * lines>" or "<name> was killed by SIGSEGV" or "<name>: no end after 5 s", with the
 * last lines joined by "; ". Empties the child.
 */
int run_wait(struct child *c, struct err *e) _must_check_;

/* SIGTERM, and SIGKILL after `grace_ms`; reaps. Safe on an empty child. */
void run_kill(struct child *c, unsigned grace_ms);
void child_done(struct child *c); /* run_kill with no grace, closes errfd */
#define _cleanup_child_ _cleanup_(child_done)

/* Start and wait. */
int run(const struct run *r, struct err *e) _must_check_;
int run_argv(const char *const *argv, struct err *e) _must_check_;

/*
 * Start, read its standard output to the end (at most 16 MiB; until all that inherited it
 * have closed it), wait. *ret is owned and NUL-terminated; `out` of *r does not count.
 */
int run_capture(const struct run *r, char **ret, size_t *ret_len,
		struct err *e) _must_check_;

/* As run_argv with `len` bytes of `data` on its standard input. */
int run_input(const char *const *argv, const void *data, size_t len,
	      struct err *e) _must_check_;

/* The path of the executable that run_start would start for `name`, or NULL. Owned. */
char *run_find(const char *name);
/* Whether there is one. */
bool run_have(const char *name);
