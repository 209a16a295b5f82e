/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a host follows from the times of its last boot and of its report: a report
 * that came before the host asked for its boot script is that of an earlier boot.
 */
#include "pxe/tracker.h"

#include "lib/clock.h"

static const char *const names[TRACKER_STATES] = {
	[TRACKER_SILENT] = "silent",   [TRACKER_ASKED] = "asked",
	[TRACKER_LOADING] = "loading", [TRACKER_KERNEL] = "kernel",
	[TRACKER_UNITS] = "units",     [TRACKER_READY] = "ready",
	[TRACKER_FAILED] = "failed",   [TRACKER_BROKEN] = "broken",
};

const char *tracker_state_name(enum tracker_state state)
{
	return names[state];
}

static uint64_t reported_ms(const struct status_host *h)
{
	return timespec_ms(h->reported);
}

enum tracker_state tracker_state(const struct tracker *t, size_t host)
{
	static const enum tracker_state reported[] = {
		[STATUS_SILENT] = TRACKER_SILENT, [STATUS_STARTING] = TRACKER_UNITS,
		[STATUS_READY] = TRACKER_READY,   [STATUS_FAILED] = TRACKER_FAILED,
		[STATUS_BROKEN] = TRACKER_BROKEN,
	};
	const struct status_host *h = &t->status.hosts[host];
	const struct tracker_boot *b = &t->boots[host];

	if (h->verdict != STATUS_SILENT && reported_ms(h) >= b->asked_ms)
		return reported[h->verdict];
	if (b->loaded_ms)
		return TRACKER_KERNEL;
	if (b->total)
		return TRACKER_LOADING;
	return b->asked_ms ? TRACKER_ASKED : TRACKER_SILENT;
}

unsigned tracker_percent(const struct tracker *t, size_t host)
{
	const struct tracker_boot *b = &t->boots[host];
	uint64_t bytes = b->bytes > b->sent ? b->bytes : b->sent;
	uint64_t percent = b->total ? bytes * 100 / b->total : 0;

	return percent < 99 ? (unsigned)percent : 99;
}

uint64_t tracker_heard_ms(const struct tracker *t, size_t host)
{
	uint64_t asked = t->boots[host].heard_ms,
		 reported = reported_ms(&t->status.hosts[host]);

	return asked > reported ? asked : reported;
}

bool tracker_is_stalled(const struct tracker *t, size_t host, uint64_t now_ms)
{
	enum tracker_state state = tracker_state(t, host);

	return (state == TRACKER_ASKED || state == TRACKER_LOADING ||
		state == TRACKER_KERNEL) &&
	       tracker_heard_ms(t, host) + TRACKER_STALLED_MS <= now_ms;
}

char *tracker_age(uint64_t then_ms, uint64_t now_ms)
{
	unsigned long long s = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;

	if (s < 120)
		return xasprintf("%llu s", s);
	if (s < 2 * 3600)
		return xasprintf("%llu min", s / 60);
	if (s < 48 * 3600)
		return xasprintf("%llu h", s / 3600);
	return xasprintf("%llu d", s / 86400);
}

char *tracker_text(const struct tracker *t, size_t host, uint64_t now_ms)
{
	enum tracker_state state = tracker_state(t, host);
	const char *why = t->status.hosts[host].why;
	_cleanup_free_ char *text = NULL, *age = NULL;

	if (state == TRACKER_LOADING)
		text = xasprintf("loading %u %%", tracker_percent(t, host));
	else if ((state == TRACKER_FAILED || state == TRACKER_BROKEN) && why)
		text = xasprintf("%s: %s", names[state], why);
	else
		text = xstrdup(names[state]);
	if (!tracker_is_stalled(t, host, now_ms))
		return TAKE_PTR(text);
	age = tracker_age(tracker_heard_ms(t, host), now_ms);
	return xasprintf("%s, silent for %s", text, age);
}

void tracker_count(const struct tracker *t, size_t ret[static TRACKER_STATES])
{
	memset(ret, 0, TRACKER_STATES * sizeof(*ret));
	for (size_t i = 0; i < t->status.n; i++)
		ret[tracker_state(t, i)]++;
}
