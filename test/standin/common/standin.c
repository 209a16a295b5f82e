/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and log of a stand-in. Standard error is line-buffered so that the journal shows
 * each line at once.
 */
#include "test/standin/common/standin.h"

#include <stdarg.h>
#include <time.h>

static const char *log_name = "standin";

void standin_banner(const struct standin *s, char *out, size_t size)
{
	snprintf(out, size, "rackstrap's stand-in for %s %s (not the real program)",
		 s->name, s->version);
}

static _noreturn_ void refuse(const struct standin *s, const struct flags *flags,
			      const char *program, const char *complaint)
{
	_cleanup_free_ char *usage = flags_usage(flags);

	if (complaint)
		fprintf(stderr, "%s\n", complaint);
	fprintf(stderr, "Usage of %s:\n%s", program, usage);
	exit(complaint ? s->exit_usage : s->style == FLAGS_GO ? 0 : 2);
}

static void answer_version(const struct standin *s, const struct flags *flags)
{
	const char *version = flags_str(flags, "version", "false");
	char banner[128];

	if (!streq(version, "raw") && !flags_bool(flags, "version", false))
		return;
	standin_banner(s, banner, sizeof(banner));
	if (s->style == FLAGS_GO)
		printf("%s Version: %s (%s)\n", s->name, s->version, banner);
	else
		printf("Kubernetes %s (%s)\n", s->version, banner);
	exit(0);
}

void standin_start(const struct standin *s, int argc, char **argv, struct flags *flags)
{
	_cleanup_free_ char *complaint = NULL;
	char banner[128];

	setvbuf(stderr, NULL, _IOLBF, 0);
	log_name = s->name;
	*flags = (struct flags){.program = s->name, .style = s->style, .list = s->list};
	if (flags_parse(flags, argc, argv, &complaint) != 0)
		refuse(s, flags, argv[0], complaint);
	answer_version(s, flags);
	standin_banner(s, banner, sizeof(banner));
	klog_info("%s", banner);
}

void klog_line(enum klog_level level, const char *fmt, ...)
{
	char text[2048], stamp[32];
	struct timespec ts;
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%m%d %H:%M:%S", &tm);
	fprintf(stderr, "%c%s.%06ld %7d %s] %s\n", "IWEF"[level], stamp,
		ts.tv_nsec / 1000, (int)getpid(), log_name, text);
}

int standin_number(const char *variable, uint64_t max, uint64_t *ret, struct err *e)
{
	const char *s = getenv(variable);

	*ret = 0;
	if (!s || !*s || str_to_u64(s, max, ret) == 0)
		return 0;
	return err_set(e, ERR_FAILED, "%s=%s: must be a whole number from 0 to %llu",
		       variable, s, (unsigned long long)max);
}

uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void pause_ms(uint64_t ms)
{
	struct timespec ts = {.tv_sec = (time_t)(ms / 1000),
			      .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

const char *now_rfc3339(char out[static TIME_LEN])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}
