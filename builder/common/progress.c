/* SPDX-License-Identifier: Apache-2.0 */
/* Progress lines are shown on a terminal only; log.h writes the lines that stay. */
#include "builder/common/progress.h"

#include "lib/clock.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/text.h"

#include <stdarg.h>
#include <sys/ioctl.h>

#define INTERVAL_MS 100
#define LINE_MS     30000
#define TICK_MS     1000 /* for which a line is not replaced by progress_tick() */

static uint64_t shown_at;
static size_t shown; /* lines */
static bool ticking; /* they are progress_tick()'s */

/* The stage at work, "" if there is none. */
static char stage[128];
static uint64_t stage_start;

uint64_t progress_now_ms(void)
{
	return clock_now_ms(CLOCK_MONOTONIC);
}

const char *progress_size(uint64_t bytes, char out[static PROGRESS_SIZE_LEN])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double v = (double)bytes / 1024;
	size_t u = 0;

	if (bytes < 1024) {
		snprintf(out, PROGRESS_SIZE_LEN, "%u B", (unsigned)bytes);
		return out;
	}
	for (; v >= 1024 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1024;
	snprintf(out, PROGRESS_SIZE_LEN, "%.1f %s", v, units[u]);
	return out;
}

bool progress_live(void)
{
	static int live = -1;
	const char *term = getenv("TERM");

	if (live < 0)
		live = log_get_level() >= LOG_LEVEL_INFO && isatty(STDERR_FILENO) &&
		       (!term || !streq(term, "dumb"));
	return live;
}

static int columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	return 80;
}

bool progress_due(void)
{
	return progress_live() &&
	       (shown == 0 || progress_now_ms() - shown_at >= INTERVAL_MS);
}

/* Moves to the first column of the first line shown, and clears all lines. */
static void rewind_lines(void)
{
	for (size_t i = 1; i < shown; i++)
		fputs("\r\033[K\033[A", stderr);
	fputs("\r\033[K", stderr);
}

void progress_show_lines(char *const *lines)
{
	if (!progress_due())
		return;
	log_set_clear(progress_clear);
	rewind_lines();
	for (shown = 0; lines && lines[shown]; shown++) {
		_cleanup_free_ char *line = text_cleaned(lines[shown]);

		fprintf(stderr, "%s%.*s", shown > 0 ? "\n" : "", columns() - 1, line);
	}
	fflush(stderr);
	interrupt_set_lines((unsigned)shown);
	shown_at = progress_now_ms();
	ticking = false;
}

void progress_show(const char *fmt, ...)
{
	char line[512];
	char *lines[] = {line, NULL};
	va_list ap;

	if (!progress_due())
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	progress_show_lines(lines);
}

void progress_tick(void)
{
	const uint64_t now = progress_now_ms();

	/* base-disk.c has a second thread. */
	if (!*stage || gettid() != getpid() || !progress_due() ||
	    (shown > 0 && !ticking && now - shown_at < TICK_MS))
		return;
	progress_show("%s: %llu s", stage,
		      (unsigned long long)((now - stage_start) / 1000));
	ticking = true;
}

void progress_clear(void)
{
	if (shown == 0)
		return;
	rewind_lines();
	fflush(stderr);
	shown = 0;
	interrupt_set_lines(0);
}

void stages_name(const char *what)
{
	progress_clear();
	interrupt_set_stage(what);
	snprintf(stage, sizeof(stage), "%s", what);
	stage_start = progress_now_ms();
	run_set_tick(progress_tick);
}

void stages_stop(void)
{
	progress_clear();
	interrupt_set_stage(NULL);
	stage[0] = '\0';
}

void stages_start(const char *what, const char *log)
{
	stages_name(what);
	if (log)
		log_info("%s; the log is %s", what, log);
	else if (!progress_live())
		log_info("%s", what);
	progress_tick();
}

void stages_begin(struct stages *s)
{
	s->start = s->last = progress_now_ms();
}

void stages_end(struct stages *s, const char *fmt, ...)
{
	uint64_t now = progress_now_ms(), took = now - s->last;
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	stages_stop();
	log_info("%s (%llu.%llu s)", what, (unsigned long long)(took / 1000),
		 (unsigned long long)(took % 1000 / 100));
	s->last = now;
}

void meter_begin(struct meter *m, const char *what, uint64_t total)
{
	*m = (struct meter){.what = what, .total = total};
	m->start = m->logged = progress_now_ms();
}

const char *meter_text(const struct meter *m, uint64_t done, uint64_t ms,
		       char out[static METER_LEN])
{
	char a[PROGRESS_SIZE_LEN], b[PROGRESS_SIZE_LEN], rate[PROGRESS_SIZE_LEN];
	double per_second = ms > 0 ? (double)done * 1000 / (double)ms : 0;
	int n = snprintf(out, METER_LEN, "%s: %s of %s (%u %%)", m->what,
			 progress_size(done, a), progress_size(m->total, b),
			 m->total > 0 ? (unsigned)(done * 100.0 / m->total) : 100);

	/* The rate of the first second is too uncertain to show. */
	if (ms >= 1000 && per_second >= 1) {
		uint64_t left = (uint64_t)((double)(m->total - done) / per_second + 0.5);

		snprintf(out + n, METER_LEN - (size_t)n, ", %s/s, %llu:%02u left",
			 progress_size((uint64_t)per_second, rate),
			 (unsigned long long)(left / 60), (unsigned)(left % 60));
	}
	return out;
}

void meter_show(struct meter *m, uint64_t done)
{
	uint64_t now = progress_now_ms();
	char text[METER_LEN];

	if (progress_live()) {
		progress_show("%s", meter_text(m, done, now - m->start, text));
	} else if (now - m->logged >= LINE_MS) {
		log_info("%s", meter_text(m, done, now - m->start, text));
		m->logged = now;
	}
}
