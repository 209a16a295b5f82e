/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a log that another program appends to, line by line, also when the log is
 * renamed and made anew (serve.h renames the access log) or is truncated (the servers'
 * standard error). Lines that are written to the old file after it was renamed are read
 * too. Only regular files are read.
 */
#pragma once

#include "lib/str.h"

#include <stdio.h>

#define TAIL_LINE_MAX 2048 /* bytes, with the newline; longer lines are left out */

struct tail_log {
	FILE *f;
	char line[TAIL_LINE_MAX]; /* the beginning of a line that is not complete */
	size_t len;               /* of it, TAIL_LINE_MAX if it is too long */
};

/* Zero-initialise. */
struct tail {
	char *path;
	struct tail_log now; /* has the path now, or had it at the last look */
	struct tail_log old; /* had it before; its writer may still have it open */
	size_t left;         /* bytes that may be read in this turn */
};

/* Opens the log, which need not exist yet. `from_end`: skips what it has. */
void tail_open(struct tail *t, const char *path, bool from_end);

/* Begins a turn, in which no more than `bytes` are read, also of a line that has no end
 * yet: a log that grows fast must not keep its reader from other work. Returns true if
 * the turn before read so much. Before the first turn there is no limit. */
bool tail_turn(struct tail *t, size_t bytes);

/* Reads the next complete line into `line`, without its newline. Returns `line`, or NULL
 * if there is none yet, or none that may be read in this turn. */
char *tail_next(struct tail *t, char line[static TAIL_LINE_MAX]) _must_check_;
void tail_done(struct tail *t);
