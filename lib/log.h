/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for the operator: lines on standard error with the program's name as prefix.
 * Results are printed on standard output, through lib/out.h. Both may contain texts from
 * elsewhere, which are made harmless (lib/text.h); URLs lose user name and password.
 */
#pragma once

#include "lib/err.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, /* the default */
	LOG_LEVEL_DEBUG,
};

/* Sets the prefix to "<name>: " ("<name>: warning: " for warnings) and drops messages
 * above `level`. `name` is not copied. */
void log_setup(const char *name, enum log_level level);
enum log_level log_get_level(void);

/* Sets a function that is called before something is written to standard error or output,
 * to clear a progress line; NULL for none. */
void log_set_clear(void (*clear)(void));
void log_clear(void); /* calls it */

/* Writes one line; a newline in it becomes a blank. Keeps errno. */
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);
/* Writes each line of a text with the prefix: for an error that has several. */
void log_lines(enum log_level level, const char *text);
/* Writes each complaint with its details. */
void log_diag(enum log_level level, const struct diag *d);
/* Writes text without prefix and newline: the question before an answer. */
void log_prompt(const char *fmt, ...) _printf_(1, 2);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
