/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every stand-in has in common: it says that it is one (first line of its log, and
 * --version), takes its original's command line, and logs as the original does.
 */
#pragma once

#include "lib/err.h"
#include "test/standin/common/flags.h"

struct standin {
	const char *name;    /* the original's */
	const char *version; /* "v0.20.2" */
	const char *list;    /* lists.h */
	enum flags_style style;
	int exit_usage; /* what the original exits with when it refuses its command line
			 */
};

/*
 * Reads the command line, answers --help and --version, complains and exits as the
 * original would; otherwise prints the banner and returns with *flags filled.
 */
void standin_start(const struct standin *s, int argc, char **argv, struct flags *flags);

/* "rackstrap's stand-in for NAME VERSION (not the real program)". */
void standin_banner(const struct standin *s, char *out, size_t size);

/* glog lines on standard error: "I0715 12:00:00.000000    42 kubelet] text". */
enum klog_level { KLOG_INFO, KLOG_WARNING, KLOG_ERROR, KLOG_FATAL };
void klog_line(enum klog_level level, const char *fmt, ...) _printf_(2, 3);

#define klog_info(...)    klog_line(KLOG_INFO, __VA_ARGS__)
#define klog_warning(...) klog_line(KLOG_WARNING, __VA_ARGS__)
#define klog_error(...)   klog_line(KLOG_ERROR, __VA_ARGS__)

/* Logs and exits 255, as glog.Fatalf does. */
#define klog_fatal(...)                                                                  \
	do {                                                                             \
		klog_line(KLOG_FATAL, __VA_ARGS__);                                      \
		exit(255);                                                               \
	} while (0)

/*
 * Reads a number from the environment, for slowness that a test asks for; 0 when the
 * variable is absent or empty. -1 when it is not a whole number up to `max`.
 */
int standin_number(const char *variable, uint64_t max, uint64_t *ret,
		   struct err *e) _must_check_;
#define STANDIN_SECONDS_MAX 3600

uint64_t clock_ms(void); /* monotonic */
void pause_ms(uint64_t ms);

#define TIME_LEN 21 /* "2015-07-15T12:00:00Z" and NUL */
const char *now_rfc3339(char out[static TIME_LEN]);
