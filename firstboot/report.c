/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot report`: waits until the role works, says so once on the console, keeps the
 * report and PUTs it. It never delays or fails anything else: whatever cannot be told is
 * a warning in the journal.
 *
 * A host that is not ready in time is reported as failed and watched for an hour more;
 * should it become ready after all, a second report says that.
 */
#include "http.h"
#include "lib/log.h"
#include "ready.h"

#define READY_S       300 /* --timeout */
#define READY_POLL_MS 1000
#define LATE_S        3600
#define LATE_POLL_MS  10000
#define PUT_S         120 /* a host not configured waits for DHCP */
#define PUT_MAX_MS    8000

static void put(const struct firstboot *fb, const char *url)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", fb->root, REPORT_JSON);
	uint64_t end = now_ms() + PUT_S * 1000;
	unsigned pause = 500;
	struct err e;

	while (http_put_file(url, path, &e) < 0) {
		if (now_ms() + pause >= end) {
			log_warn("the report was not delivered: %s", e.msg);
			return;
		}
		sleep_about_ms(pause);
		pause = pause * 2 < PUT_MAX_MS ? pause * 2 : PUT_MAX_MS;
	}
}

/* Whoever reads the console of a failed host can most often not log in to it. */
static void console_log(const struct firstboot *fb, const struct units *u)
{
	for (size_t i = 0; i < u->n; i++)
		for (size_t k = 0; u->v[i].log && u->v[i].log[k]; k++)
			console_line(fb, "%s: %s", u->v[i].name, u->v[i].log[k]);
}

static void console_verdict(const struct firstboot *fb, const struct snapshot *s)
{
	_cleanup_free_ char *who = snapshot_who(s);
	uint64_t ms = s->verdict.uptime_ms - s->applied.end_ms;

	if (!s->verdict.ready) {
		console_log(fb, &s->units);
		console_line(fb, "%s failed: %s", who, s->verdict.why);
		return;
	}
	console_line(fb, "%-9s %3llu.%03llu s", "units", (unsigned long long)ms / 1000,
		     (unsigned long long)ms % 1000);
	console_line(fb, "%s ready in %.1f s", who, (double)s->verdict.uptime_ms / 1000);
}

static void publish(const struct firstboot *fb, const struct snapshot *s)
{
	const struct host *h = &s->config.host;
	_cleanup_free_ char *json = snapshot_json(s);
	struct err e;

	console_verdict(fb, s);
	if (verdict_write(&s->verdict, fb, &e) < 0)
		log_warn("%s", e.msg);
	if (run_file_write(fb, REPORT_JSON, json, 0644, &e) < 0) {
		log_warn("%s", e.msg);
		return;
	}
	if (h->report && !s->config.bad[HOST_REPORT])
		put(fb, h->report);
}

/* Takes `why` over. */
static void verdict_set(struct snapshot *s, bool ready, char *why)
{
	verdict_done(&s->verdict);
	s->verdict = (struct verdict){.ready = ready, .why = why, .uptime_ms = now_ms()};
}

static int not_configured(const struct firstboot *fb, struct snapshot *s, struct err *e)
{
	char **errors = s->applied.errors;
	const char *why = "firstboot apply left no record of this boot";

	if (s->applied.there)
		why = errors && errors[0] ? errors[0] : "firstboot apply did not say why";
	verdict_set(s, false, xstrdup(why));
	publish(fb, s);
	return err_set(e, ERR_FAILED, "%s", why);
}

int cmd_report(const struct firstboot *given, char **args _unused_, struct err *e)
{
	struct firstboot here = *given;
	const struct firstboot *fb = &here;
	_cleanup_snapshot_ struct snapshot s = {0};
	unsigned timeout = fb->timeout ? fb->timeout : READY_S;
	char *why = NULL;
	bool ready;

	snapshot_read(&s, fb);
	console_of_host(&here, s.config.host.console);
	if (!s.applied.ok || !s.config.role)
		return not_configured(fb, &s, e);
	ready = ready_wait(fb, &s, now_ms() + (uint64_t)timeout * 1000, READY_POLL_MS,
			   &why);
	verdict_set(&s, ready, why);
	for (size_t i = 0; !ready && i < s.units.n; i++)
		if (!unit_ready(&s.units.v[i]))
			unit_read_log(&s.units.v[i]);
	publish(fb, &s);
	if (ready)
		return 0;
	why = NULL;
	ready = ready_wait(fb, &s, now_ms() + (uint64_t)LATE_S * 1000, LATE_POLL_MS,
			   &why);
	verdict_set(&s, ready, why);
	if (!ready)
		return err_set(e, ERR_FAILED, "still not ready: %s", s.verdict.why);
	publish(fb, &s);
	return 0;
}
