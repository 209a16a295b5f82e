/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build says while it works, on standard error: a line for each stage with the
 * time it took, and on a terminal one more line that is written over and over.
 */
#pragma once

#include "lib/cleanup.h"

uint64_t progress_now_ms(void); /* CLOCK_MONOTONIC */

/* "137.9 MiB", "812 B". */
#define PROGRESS_SIZE_LEN 24
const char *progress_size(uint64_t bytes, char out[static PROGRESS_SIZE_LEN]);

/* Whether the passing line is shown at all: standard error is a terminal. */
bool progress_live(void);
/* Replaces the passing line; at most ten times a second. */
void progress_show(const char *fmt, ...) _printf_(1, 2);
/* Takes the passing line away, before anything else is written. */
void progress_clear(void);

/* "<what>: 3.9 s", and starts the clock of the next stage. */
struct stages {
	uint64_t start, last;
};
void stages_begin(struct stages *s);
void stages_end(struct stages *s, const char *fmt, ...) _printf_(2, 3);
