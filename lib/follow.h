/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the lines of a file that another process is writing. */
#pragma once

#include "lib/cleanup.h"

/* The place in the file; zero at first. */
struct follow {
	off_t at;    /* bytes that were read */
	bool inside; /* it is in a word that is left out */
};

/*
 * Calls `use` for each new line of `fd` that is not empty, without its newline and
 * without the secrets of URLs (lib/url.h). A carriage return and a NUL end a line as
 * well. With `all`, also for a last line without an end; otherwise that waits for the
 * next call.
 *
 * A line of more than 16 KiB is split at blanks. A word that is longer is replaced by
 * "...": it may be part of a URL.
 */
void follow_lines(struct follow *f, int fd, bool all, void (*use)(void *arg, char *line),
		  void *arg);
