/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/status-json.h"

#include "lib/json.h"

static void append_phases(struct json *j, const struct report *r)
{
	json_open(j, "phases", '[');
	for (size_t k = 0; k < r->n_phases; k++) {
		json_open(j, NULL, '{');
		json_str(j, "name", r->phases[k].name);
		json_u64(j, "ms", r->phases[k].ms);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* Appends the members of a host's object. */
static void append_host(struct json *j, const struct status_host *h, time_t now)
{
	const struct report *r = &h->report;
	time_t then = h->reported.tv_sec;

	json_str(j, "name", h->name);
	json_str(j, "role", h->role);
	json_str(j, "address", h->address);
	columns_json(j, &h->columns);
	json_str(j, "verdict", status_verdict_name(h->verdict));
	json_str(j, "why", h->why);
	if (then)
		json_u64(j, "age_s", now > then ? (uint64_t)(now - then) : 0);
	else
		json_str(j, "age_s", NULL);
	if (r->verdict) {
		json_u64(j, "uptime_ms", r->uptime_ms);
		json_u64(j, "generation", r->generation);
		json_str(j, "boot_id", r->boot_id);
		json_str(j, "config_sha256", r->config_sha256);
	}
	append_phases(j, r);
	json_strv(j, "failed_units", r->failed_units);
	json_strv(j, "warnings", r->warnings);
}

char *status_json(const struct status *s, time_t now)
{
	_cleanup_json_ struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 2); /* 1 had "host" in place of "name" */
	json_str(&j, "rack", s->rack);
	json_open(&j, "hosts", '[');
	for (size_t i = 0; i < s->n; i++) {
		json_open(&j, NULL, '{');
		append_host(&j, &s->hosts[i], now);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	return json_take(&j);
}

/* Appends what the report does not have. */
static void append_live(struct json *j, const struct tracker *t, size_t host)
{
	enum tracker_state state = tracker_state(t, host);
	uint64_t heard = tracker_heard_ms(t, host);

	json_str(j, "state", tracker_state_name(state));
	if (state == TRACKER_LOADING)
		json_u64(j, "loaded_percent", tracker_percent(t, host));
	if (heard)
		json_u64(j, "heard", heard / 1000);
	else
		json_str(j, "heard", NULL);
}

char *status_live_json(const struct tracker *t, uint64_t now_ms)
{
	_cleanup_json_ struct json j = {0};
	size_t n[TRACKER_STATES];

	tracker_count(t, n);
	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "rack", t->status.rack);
	json_str(&j, "image", t->info->image);
	json_u64(&j, "time", now_ms / 1000);
	json_open(&j, "states", '{');
	for (size_t i = 0; i < TRACKER_STATES; i++)
		json_u64(&j, tracker_state_name((enum tracker_state)i), n[i]);
	json_close(&j, '}');
	json_open(&j, "hosts", '[');
	for (size_t i = 0; i < t->status.n; i++) {
		json_open(&j, NULL, '{');
		append_host(&j, &t->status.hosts[i], (time_t)(now_ms / 1000));
		append_live(&j, t, i);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	return json_take(&j);
}
