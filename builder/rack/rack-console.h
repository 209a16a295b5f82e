/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a machine's serial console as lines for people: without escape sequences,
 * carriage returns, control characters and systemd's progress animation, and with '?' for
 * bytes that are not ASCII. A guest can write anything to its console: without this, it
 * could control the terminal on which its lines are shown.
 */
#pragma once

#include "lib/str.h"

/* A reader that follows a console while it grows. */
struct console {
	char *path;
	off_t at;        /* offset up to which it was read */
	struct buf rest; /* what was read and not returned, from `used` on */
	size_t used;
	size_t left; /* bytes that may be read in this turn */
	bool more;   /* there is more to read in the next turn */
	bool cut;    /* its beginning was removed */
	bool within; /* it is in a word that is left out */
};

/* The reader may read without a limit until the first turn begins. */
void console_open(struct console *c, const char *path);

/* Begins a turn, in which at most CONSOLE_TURN bytes are read: a machine that writes
 * without end must not keep its reader from all others. Returns true if the turn before
 * left something to read. */
#define CONSOLE_TURN (64 * 1024)
bool console_turn(struct console *c);

/* Returns the next complete line, owned by the caller, or NULL if there is none yet, or
 * none that may be read in this turn. The file need not exist; one that became shorter is
 * read from its beginning. */
char *console_next(struct console *c) _must_check_;
void console_done(struct console *c);

/* Removes the beginning of a file that is larger than CONSOLE_MAX, so that a machine that
 * writes without end does not fill the disk: the last CONSOLE_KEPT bytes stay. The writer
 * must append. What it writes meanwhile is lost, or is at the beginning of the file and
 * is not followed. Returns true the first time. */
#define CONSOLE_MAX  (16 * 1024 * 1024)
#define CONSOLE_KEPT (1024 * 1024)
bool console_bound(struct console *c);

/* Returns the last `n` lines that are not empty, including an incomplete one. Owned by
 * the caller; NULL if there is none. */
char **console_tail(const char *path, size_t n);

/* Returns the cleaned lines of a text that are not empty. Owned by the caller. */
char **console_lines(const char *text, size_t len);
