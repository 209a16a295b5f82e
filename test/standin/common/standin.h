/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that all stand-ins use: each one says that it is a stand-in (first line of
 * its log, and --version), reads the command line of its original, and logs as the
 * original does.
 */
#pragma once

#include "lib/err.h"
#include "test/standin/common/flags.h"

struct standin {
	const char *name;    /* the original's name */
	const char *version; /* "v0.20.2" */
	const char *list;    /* flag list of lists.h */
	enum flags_style style;
	int exit_usage; /* the original's exit status when it refuses its command line */
};

/*
 * Reads the command line and answers --help and --version. Writes the original's error
 * message and exits as the original would; otherwise prints the banner and returns with
 * *flags filled.
 */
void standin_start(const struct standin *s, int argc, char **argv, struct flags *flags);

/* Writes "rackstrap's stand-in for NAME VERSION (not the real program)" to `out`. */
void standin_banner(const struct standin *s, char *out, size_t size);

/* Writes a line in glog's format to standard error: "I0715 12:00:00.000000 42 kubelet]
 * text". */
enum klog_level { KLOG_INFO, KLOG_WARNING, KLOG_ERROR, KLOG_FATAL };
void klog_line(enum klog_level level, const char *fmt, ...) _printf_(2, 3);

#define klog_info(...)    klog_line(KLOG_INFO, __VA_ARGS__)
#define klog_warning(...) klog_line(KLOG_WARNING, __VA_ARGS__)
#define klog_error(...)   klog_line(KLOG_ERROR, __VA_ARGS__)

/* Logs and exits with status 255, like glog.Fatalf. */
#define klog_fatal(...)                                                                  \
	do {                                                                             \
		klog_line(KLOG_FATAL, __VA_ARGS__);                                      \
		exit(255);                                                               \
	} while (0)

/*
 * Reads a number from the environment, for delays that a test sets. *ret is 0 when the
 * variable is absent or empty. Returns -1 when it is not a whole number up to `max`.
 */
int standin_number(const char *variable, uint64_t max, uint64_t *ret,
		   struct err *e) _must_check_;
#define STANDIN_SECONDS_MAX 3600

uint64_t clock_ms(void); /* monotonic */
void pause_ms(uint64_t ms);

#define TIME_LEN 21 /* "2015-07-15T12:00:00Z" and NUL */
const char *now_rfc3339(char out[static TIME_LEN]);
