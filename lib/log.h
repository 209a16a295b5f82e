/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program tells its operator while it works: one line each, on standard
 * error, prefixed with the program's name. Results go to standard output and are
 * nobody's business here.
 */
#pragma once

#include "lib/cleanup.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, /* the default */
	LOG_LEVEL_DEBUG,
};

/* `name` is not copied. The prefix is "<name>: " ("<name>: warning: " for warnings). */
void log_setup(const char *name, enum log_level level);
enum log_level log_get_level(void);

void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
