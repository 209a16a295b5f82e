/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine wrote on its serial console, as lines for people: without the escape
 * sequences of firmware and systemd, without carriage returns, control characters and
 * bytes that are not ASCII as '?', and without the lines of systemd's progress animation.
 * A guest can write anything there, also to whoever reads it on a terminal.
 */
#pragma once

#include "lib/str.h"

/* Follows a console while it grows. */
struct console {
	char *path;
	off_t at;        /* read up to here */
	struct buf rest; /* of a line that is not ended yet */
};

void console_open(struct console *c, const char *path);

/* The next whole line, owned by the caller; NULL when there is none for the time being.
 * The file need not be there yet; one that became shorter is read from its beginning. */
char *console_next(struct console *c) _must_check_;
void console_done(struct console *c);

/* The last `n` lines that are not empty, the unended one included. Owned. */
char **console_tail(const char *path, size_t n);

/* The same cleaning for one text: its lines, empty ones dropped. Owned. */
char **console_lines(const char *text, size_t len);
