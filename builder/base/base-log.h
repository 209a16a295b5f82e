/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the programs that make a base, while they run. They write to a raw log,
 * of which base_log_follow() copies the new lines, without what controls a terminal, to
 * the log that people read, and which it turns into the progress line.
 */
#pragma once

#include "lib/follow.h"

struct base_log {
	int raw, copy;           /* descriptors, -1: none */
	struct follow at;        /* of `raw` */
	size_t copied;           /* bytes that are in the copy */
	size_t packages;         /* that are to be installed; 0: unknown */
	size_t unpacked, set_up; /* of them */
};

/* Reads the lines that are new, logs them with the level LOG_LEVEL_DEBUG, appends them to
 * the copy and shows where the work is. */
void base_log_follow(struct base_log *l);

/* Returns what a line of dpkg or mmdebstrap says about the progress: "package 3 of 212,
 * unpacking libc6"; NULL if nothing. Owned by the caller. */
char *base_log_progress(struct base_log *l, const char *line);
