/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot report --wait`, started by the boot's unit, waits until the role works,
 * prints the verdict on the console, writes the report and sends it with PUT. A report
 * that cannot be sent is sent again for an hour; it is only a warning in the journal.
 *
 * While it waits, the boot server has a report with the verdict "starting", which is sent
 * first: it tells a host whose units start from one that has no kernel yet.
 *
 * A host that is not ready in time is reported as failed and checked for another hour;
 * when it becomes ready in that time, a second report is sent.
 *
 * Without --wait the command checks once, prints the state of the host, and changes
 * nothing.
 */
#include "firstboot/feature.h"
#include "firstboot/http.h"
#include "firstboot/ready.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/url.h"

#define READY_S       600 /* --timeout */
#define READY_POLL_MS 1000
#define LATE_S        3600
#define LATE_POLL_MS  10000
#define PUT_MIN_MS    500 /* pauses between attempts to send a report */
#define PUT_MAX_MS    60000

/* The report of a verdict, on its way to the host's URL. */
struct delivery {
	char *json;
	unsigned pause_ms; /* until the next attempt; 0 when there is no need of one */
};

static void delivery_done(struct delivery *d)
{
	free(d->json);
	*d = (struct delivery){0};
}

#define _cleanup_delivery_ __attribute__((cleanup(delivery_done)))

/* Returns the token for the report's URL, or NULL. A URL from another source may be
 * another server's, which must not get it. */
static const char *report_token(const struct config *c)
{
	const struct origin *url = &c->host.origin[HOST_REPORT],
			    *token = &c->host.origin[HOST_REPORT_TOKEN];

	if (!c->host.report_token || c->bad[HOST_REPORT_TOKEN] || !url->file ||
	    !token->file || !streq(url->file, token->file))
		return NULL;
	return c->host.report_token;
}

/* Sends the report once, and sets the pause until the next attempt. */
static void delivery_try(struct delivery *d, const struct config *c)
{
	unsigned pause = d->pause_ms;
	struct err e;

	if (http_put_json(c->host.report, d->json, report_token(c), &e) == 0) {
		d->pause_ms = 0;
		return;
	}
	if (pause == 0)
		log_warn("the report is not delivered yet, and is sent again: %s", e.msg);
	d->pause_ms = pause == 0               ? PUT_MIN_MS
		      : pause < PUT_MAX_MS / 2 ? pause * 2
					       : PUT_MAX_MS;
}

/* Sends the report until it arrives, for LATE_S. */
static void deliver(struct delivery *d, const struct config *c)
{
	uint64_t end = now_ms() + LATE_S * 1000;

	while (d->pause_ms > 0 && now_ms() < end) {
		sleep_about_ms(d->pause_ms);
		delivery_try(d, c);
	}
	if (d->pause_ms > 0)
		log_warn("the report was not delivered");
}

/* Prints the last log lines of the units, because an operator often cannot log in to a
 * failed host. Failed units come last, because a screen shows the end. */
static void console_log(const struct firstboot *fb, const struct units *u)
{
	for (int failed = 0; failed <= 1; failed++)
		for (size_t i = 0; i < u->n; i++) {
			char **log = u->v[i].log;

			for (size_t k = 0; log && log[k]; k++)
				if (unit_failed(&u->v[i]) == failed)
					console_line(fb, "%s: %s", u->v[i].name, log[k]);
		}
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

/* Returns true when the host's configuration says where a report is sent to. */
static bool has_server(const struct snapshot *s)
{
	return s->config.host.report && !s->config.bad[HOST_REPORT];
}

/* Prints the verdict, writes the report and sends it once. When that fails, *d has the
 * report for further attempts. */
static void publish(const struct firstboot *fb, const struct snapshot *s,
		    struct delivery *d)
{
	struct err e;

	delivery_done(d);
	d->json = snapshot_json(s);
	console_verdict(fb, s);
	if (verdict_write(&s->verdict, fb, &e) < 0)
		log_warn("%s", e.msg);
	if (run_file_write(fb, REPORT_JSON, d->json, 0644, &e) < 0)
		log_warn("%s", e.msg);
	else if (has_server(s))
		delivery_try(d, &s->config);
}

/* Sets the verdict, which owns `why` from then on. It may name a URL with a password that
 * is in /etc/environment. */
static void verdict_set(struct snapshot *s, bool ready, char *why)
{
	if (why)
		url_strip_userinfo(why);
	verdict_done(&s->verdict);
	s->verdict = (struct verdict){.ready = ready, .why = why, .uptime_ms = now_ms()};
}

static int not_configured(const struct firstboot *fb, struct snapshot *s,
			  struct delivery *d, struct err *e)
{
	char **errors = s->applied.errors;
	const char *why = "firstboot apply left no record of this boot";

	if (s->applied.there)
		why = errors && errors[0] ? errors[0] : "firstboot apply did not say why";
	verdict_set(s, false, xstrdup(why));
	publish(fb, s, d);
	return err_set(e, ERR_FAILED, "%s", why);
}

/* Records the present registrations, so that heal recognises one that is lost before
 * heal's next run. */
static void mark_registrations(const struct firstboot *fb, const struct config *c)
{
	for (size_t i = 0; feature_codes[i]; i++) {
		const struct registration *r = feature_codes[i]->registration;

		if (r && role_has(c->role, feature_codes[i]->id) &&
		    registration_applies(r, c->role))
			(void)!registration_look(r, fb, &c->host);
	}
}

/* Waits, and reports the verdict: a failure only if `also_failed`. Returns true when the
 * host is ready. */
static bool report_after(const struct firstboot *fb, struct snapshot *s, uint64_t wait_ms,
			 unsigned poll_ms, bool also_failed, struct delivery *d)
{
	char *why = NULL;
	bool ready = ready_wait(fb, s, now_ms() + wait_ms, poll_ms, &why);

	verdict_set(s, ready, why);
	if (ready || also_failed)
		publish(fb, s, d);
	if (ready)
		mark_registrations(fb, &s->config);
	return ready;
}

/* Sends the report that the units start, until it arrives, the host is ready or the time
 * is over. It is not written to a file. Returns true when the host is ready. */
static bool report_starting(const struct firstboot *fb, struct snapshot *s, uint64_t end,
			    struct delivery *d)
{
	verdict_done(&s->verdict);
	s->verdict = (struct verdict){.starting = true, .uptime_ms = now_ms()};
	delivery_done(d);
	d->json = snapshot_json(s);
	if (has_server(s))
		delivery_try(d, &s->config);
	while (d->pause_ms > 0 && now_ms() + d->pause_ms < end) {
		if (report_after(fb, s, d->pause_ms, READY_POLL_MS, false, d))
			return true;
		delivery_try(d, &s->config);
	}
	d->pause_ms = 0;
	return false;
}

/* Checks a failed host for LATE_S, and meanwhile sends the report that says so, unless
 * it was delivered. Returns true when the host has become ready. */
static bool report_late(const struct firstboot *fb, struct snapshot *s,
			struct delivery *d)
{
	uint64_t end = now_ms() + LATE_S * 1000;

	while (now_ms() < end) {
		unsigned wait = d->pause_ms > 0 ? d->pause_ms : PUT_MAX_MS;
		unsigned poll = wait < LATE_POLL_MS ? wait : LATE_POLL_MS;

		if (report_after(fb, s, wait, poll, false, d))
			return true;
		if (d->pause_ms > 0)
			delivery_try(d, &s->config);
	}
	return false;
}

static int report_when_known(const struct firstboot *fb, struct snapshot *s,
			     struct delivery *d, struct err *e)
{
	uint64_t end = now_ms() + 1000ULL * (fb->timeout ? fb->timeout : READY_S), now;

	if (!s->applied.ok || !s->config.role)
		return not_configured(fb, s, d, e);
	if (report_starting(fb, s, end, d))
		return 0;
	now = now_ms();
	if (report_after(fb, s, end > now ? end - now : 0, READY_POLL_MS, true, d) ||
	    report_late(fb, s, d))
		return 0;
	return err_set(e, ERR_FAILED, "still not ready: %s", s->verdict.why);
}

/* Does what `report --wait` does. */
static int report_when_ready(const struct firstboot *fb, struct snapshot *s,
			     struct err *e)
{
	_cleanup_delivery_ struct delivery d = {0};
	int r = report_when_known(fb, s, &d, e);

	deliver(&d, &s->config);
	return r;
}

/* Prints the present state of the host. Returns 0 when it is ready, else -1. */
static int report_now(const struct firstboot *fb, struct snapshot *s, struct err *e)
{
	_cleanup_free_ char *text = NULL, *why = NULL;
	bool ready = s->applied.ok && s->config.role && ready_now(fb, s, &why);

	verdict_read(&s->verdict, fb);
	text = snapshot_text(s);
	out_text(text);
	if (ready)
		return 0;
	return err_set(e, ERR_FAILED, "not ready: %s",
		       why              ? why
		       : s->verdict.why ? s->verdict.why
					: "this host is not configured");
}

int cmd_report(const struct firstboot *given, char **args _unused_, struct err *e)
{
	struct firstboot here = *given;
	_cleanup_snapshot_ struct snapshot s = {0};

	snapshot_read(&s, &here);
	console_of_host(&here, s.config.host.console);
	return here.wait ? report_when_ready(&here, &s, e) : report_now(&here, &s, e);
}
