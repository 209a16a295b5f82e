/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for the operator: lines on standard error with the program's name as prefix.
 * Results are printed on standard output by the commands themselves.
 */
#pragma once

#include "lib/cleanup.h"

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

/* Writes one message; each of its lines gets the prefix. Keeps errno. */
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
