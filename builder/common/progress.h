/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of a build, on standard error: a line for each stage with the time it took,
 * and on a terminal one more line that is overwritten again and again. What a terminal
 * obeys is replaced in these lines too (lib/text.h).
 */
#pragma once

#include "lib/cleanup.h"

uint64_t progress_now_ms(void); /* CLOCK_MONOTONIC */

/* "137.9 MiB", "812 B". */
#define PROGRESS_SIZE_LEN 24
const char *progress_size(uint64_t bytes, char out[static PROGRESS_SIZE_LEN]);

/* Returns whether the progress line is shown at all: standard error is a terminal, and
 * messages are not restricted to warnings. */
bool progress_live(void);
/* Replaces the progress line; at most ten times a second. */
void progress_show(const char *fmt, ...) _printf_(1, 2);
/* Does the same with several lines, each cut to the terminal's width. */
void progress_show_lines(char *const *lines);
/* Returns whether a line given now would be shown, and not held back. */
bool progress_due(void);
/* Shows for how long the stage has run, unless something else was shown just now. Loops
 * that take long call it, and waiting for a program does (lib/run.h). */
void progress_tick(void);
/* Clears the progress lines. The functions of lib/log.h and lib/out.h do it before they
 * write. */
void progress_clear(void);

/* The stages of a build, which follow each other. */
struct stages {
	uint64_t start, last; /* ms */
};
void stages_begin(struct stages *s);
/*
 * Says that a stage begins that may take long: "making the base", in the progress line,
 * or without a terminal in a log line. `log` is the path of the log that its programs
 * write, or NULL; with it there is a log line in both cases. A signal that ends the
 * program names the stage (lib/interrupt.h).
 */
void stages_start(const char *what, const char *log);
/* Does that without a log line, for a stage that reports its steps itself. */
void stages_name(const char *what);
/* Clears the progress lines when a stage of a command ends that logs nothing then. */
void stages_stop(void);
/* Logs "<text> (3.9 s)" for the stage that ends, and begins the next one. */
void stages_end(struct stages *s, const char *fmt, ...) _printf_(2, 3);

/*
 * Shows how far a long copy is: "writing: 412.3 MiB of 1.1 GiB (37 %), 23.1 MiB/s, 0:31
 * left" as the progress line, or without a terminal as a log line every half minute.
 */
struct meter {
	const char *what;
	uint64_t total;         /* bytes */
	uint64_t start, logged; /* ms */
};
void meter_begin(struct meter *m, const char *what, uint64_t total);
void meter_show(struct meter *m, uint64_t done);

/* Formats the line after `ms` of work. Returns out. */
#define METER_LEN 160
const char *meter_text(const struct meter *m, uint64_t done, uint64_t ms,
		       char out[static METER_LEN]);
