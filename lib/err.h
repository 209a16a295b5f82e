/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors with a story, and lists of complaints.
 *
 * A leaf helper is silent and returns 0 or -errno. A function that can say
 * something useful takes a `struct err *` last, fills it once and returns -1;
 * its callers grow a prefix with err_wrap(). Only main() prints.
 *
 * A configuration is read to its end and everything wrong with it is told at
 * once: those functions collect into a `struct diag`.
 */
#pragma once

#include "lib/cleanup.h"

#include <stdarg.h>

/* The process's exit status for each kind of failure (0 is success). */
enum err_code {
	ERR_FAILED = 1, /* the world: a file, the network, a tool, a digest */
	ERR_USAGE = 2,  /* the command line */
	ERR_CONFIG = 3, /* a recipe, rack or host file says something wrong */
};

struct err {
	enum err_code code;
	char msg[2048]; /* one line, or from diag_err() one a complaint; no newline at its
			 * end; cut off with "..." when longer */
};

/* Sets code and message. Always returns -1. `e` may be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) _printf_(3, 4);

/* As err_set with ERR_FAILED, and ": " strerror(errnum) appended. Either sign will do. */
int err_errno(struct err *e, int errnum, const char *fmt, ...) _printf_(3, 4);

/* Puts "<prefix>: " before the message that is there. Always returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Complaints, in the order they were found. Zero-initialise; diag_done() empties. */
struct diag {
	char **lines;
	size_t n;
};

/* Adds one complaint. Always returns -1. `d` may be NULL (the complaint is dropped). */
int diag_add(struct diag *d, const char *fmt, ...) _printf_(2, 3);
/* Adds an error's lines, each as a complaint. Always returns -1. */
int diag_add_err(struct diag *d, const struct err *e);
void diag_done(struct diag *d);
#define _cleanup_diag_ _cleanup_(diag_done)

/*
 * Turns complaints into an error: code ERR_CONFIG, the lines joined by newlines
 * as far as they fit (main prints one error per line). Returns -1 when there is
 * at least one complaint, 0 when there is none.
 */
int diag_err(const struct diag *d, struct err *e) _must_check_;
