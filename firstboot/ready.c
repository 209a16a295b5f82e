/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each round runs systemctl once. URLs are requested only when all units are active, and
 * no more after they have answered. At last the features are tested (feature.h).
 */
#include "firstboot/ready.h"
#include "firstboot/feature.h"
#include "firstboot/http.h"
#include "firstboot/json-scan.h"
#include "lib/root.h"

#define SETTLED_S       5
#define ENVIRONMENT     "etc/network-environment"
#define ENVIRONMENT_MAX (256 * 1024)

/* Returns the value of a name in NAME=VALUE lines without its quotes, owned by the
 * caller, or NULL. */
static char *env_get(const char *environment, const char *name, size_t len)
{
	for (const char *line = environment; line && *line;) {
		size_t n = strcspn(line, "\n");

		if (n > len && line[len] == '=' && strncmp(line, name, len) == 0) {
			const char *v = line + len + 1;
			size_t vn = n - len - 1;

			if (vn >= 2 && v[0] == '"' && v[vn - 1] == '"')
				return xstrndup(v + 1, vn - 2);
			return xstrndup(v, vn);
		}
		line += n + (line[n] == '\n');
	}
	return NULL;
}

char *ready_expand(const char *url, const char *environment, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	const char *s = url;

	for (;;) {
		const char *name = strstr(s, "${"),
			   *end = name ? strchr(name, '}') : NULL;
		_cleanup_free_ char *value = NULL;

		if (!end) {
			buf_puts(&b, s);
			return buf_take(&b);
		}
		buf_add(&b, s, (size_t)(name - s));
		name += strlen("${");
		value = env_get(environment, name, (size_t)(end - name));
		if (!value) {
			err_set(e, ERR_FAILED, "%s: /%s has no %.*s", url, ENVIRONMENT,
				(int)(end - name), name);
			return NULL;
		}
		buf_puts(&b, value);
		s = end + 1;
	}
}

/* --- one round -------------------------------------------------------------------- */

static void add_reason(struct buf *why, const char *text)
{
	buf_printf(why, "%s%s", why->len ? "; " : "", text);
}

/* Returns true when a unit is ready and has been active for SETTLED_S: a unit whose
 * program dies at once is active for a moment. */
static bool unit_settled(const struct unit *u)
{
	if (!unit_ready(u))
		return false;
	/* A oneshot that has done its work is not active. */
	return !streq(u->active, "active") || unit_active_s(u) >= SETTLED_S;
}

static bool units_settled(const struct units *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (!unit_settled(&u->v[i]))
			return false;
	return true;
}

/* Reads the command and the last log lines of units that are not ready. */
static void read_details(const struct firstboot *fb, struct units *u)
{
	for (size_t i = 0; i < u->n; i++) {
		if (unit_settled(&u->v[i]))
			continue;
		unit_read_command(&u->v[i], fb->rootfd);
		unit_read_log(&u->v[i]);
	}
}

/* Returns why a unit that is ready does not count yet. Owned by the caller. */
static char *unsettled_text(const struct unit *u)
{
	const char *last = u->log ? u->log[strv_len(u->log) - 1] : NULL;

	return xasprintf("%s has been active for less than %d s%s%s", u->name, SETTLED_S,
			 last ? ", its last line: " : "", last ? last : "");
}

/* Adds the units that are not ready: failed ones first, then those that are starting. */
static void add_units(const struct units *u, struct buf *why)
{
	for (int failed = 1; failed >= 0; failed--)
		for (size_t i = 0; i < u->n; i++) {
			_cleanup_free_ char *text = NULL;

			if (unit_settled(&u->v[i]) || unit_failed(&u->v[i]) != failed)
				continue;
			text = unit_ready(&u->v[i]) ? unsettled_text(&u->v[i])
						    : unit_text(&u->v[i]);
			add_reason(why, text);
		}
}

static bool units_ready(struct snapshot *s, struct buf *why)
{
	struct units now;
	struct err e;

	if (units_query(&now, s->config.role->units, &e) < 0) {
		add_reason(why, e.msg);
		return false;
	}
	units_done(&s->units);
	s->units = now;
	add_units(&s->units, why);
	return units_settled(&s->units);
}

/* Adds what keeps all units from working, before the units. */
static void add_obstacles(const struct firstboot *fb, const struct snapshot *s,
			  struct buf *why)
{
	for (size_t i = 0; feature_codes[i]; i++) {
		const struct feature_code *code = feature_codes[i];
		_cleanup_free_ char *text = NULL;

		if (code->obstacle && role_has(s->config.role, code->id))
			text = code->obstacle(fb, s);
		if (text)
			add_reason(why, text);
	}
}

/*
 * Returns the status of the condition of this type in status.conditions of a Kubernetes
 * object when it is not "True": "Unknown (Kubelet stopped posting node status.)",
 * "missing". NULL when it is. Owned by the caller. The text is the server's and may
 * contain any character.
 */
static char *condition_not_true(const char *json, const char *type)
{
	_cleanup_free_ char *status = NULL, *reason = NULL;
	struct json_piece object, value, list, c, text;
	size_t pos = 0;

	if (!json_scan(json, &object) || !json_member(object, "status", &value) ||
	    !json_member(value, "conditions", &list))
		return xstrdup("missing");
	while (json_next_element(list, &pos, &c)) {
		_cleanup_free_ char *name =
			json_member(c, "type", &text) ? json_text(text) : NULL;

		if (!name || !streq(name, type))
			continue;
		status = json_member(c, "status", &text) ? json_text(text) : NULL;
		if (status && streq(status, "True"))
			return NULL;
		reason = json_member(c, "reason", &text) ? json_text(text) : NULL;
		return xasprintf("%s%s%s%s", status ? status : "missing",
				 reason ? " (" : "", reason ? reason : "",
				 reason ? ")" : "");
	}
	return xstrdup("missing");
}

/* Requests one URL. Returns the fault, owned by the caller; NULL when it answers as it
 * should. */
static char *url_fault(const char *url, const char *condition)
{
	_cleanup_free_ char *body = NULL, *is = NULL;
	unsigned status;
	struct err e;

	if (http_get(url, &status, &body, &e) < 0)
		return xasprintf("%s does not answer (%s)", url, e.msg);
	if (status / 100 != 2)
		return xasprintf("%s answers %u", url, status);
	if (!condition)
		return NULL;
	is = condition_not_true(body, condition);
	if (is)
		line_clean(is, UNIT_LOG_MAX);
	return is ? xasprintf("%s: the condition %s is %s", url, condition, is) : NULL;
}

/* Checks one entry of a role's `ready` (roles.h) and adds its fault. Returns true when
 * there is none. */
static bool url_ready(const struct firstboot *fb, const char *entry, struct buf *why)
{
	_cleanup_free_ char *environment = NULL, *full = NULL, *url = NULL, *fault = NULL;
	const char *condition = strstr(entry, READY_CONDITION);
	struct err e;

	if (root_read(fb->rootfd, ENVIRONMENT, ENVIRONMENT_MAX, &environment, NULL) < 0)
		environment = xstrdup("");
	url = condition ? xstrndup(entry, (size_t)(condition - entry)) : xstrdup(entry);
	full = ready_expand(url, environment, &e);
	fault = full ? url_fault(full,
				 condition ? condition + strlen(READY_CONDITION) : NULL)
		     : xstrdup(e.msg);
	if (fault)
		add_reason(why, fault);
	return !fault;
}

/* Adds the faults of features. Without `test` nothing is changed for it. */
static void add_faults(const struct firstboot *fb, const struct snapshot *s, bool test,
		       struct buf *why)
{
	for (size_t i = 0; feature_codes[i]; i++) {
		const struct feature_code *code = feature_codes[i];
		_cleanup_free_ char *text = NULL;

		if (code->fault && role_has(s->config.role, code->id))
			text = code->fault(fb, test);
		if (text)
			add_reason(why, text);
	}
}

/* Checks once and adds the reasons why the role does not work. `answered`: by URL, it
 * need not be requested again. */
static void check_once(const struct firstboot *fb, struct snapshot *s, bool *answered,
		       bool test, struct buf *why)
{
	char *const *urls = s->config.role->ready;

	add_obstacles(fb, s, why);
	if (!units_ready(s, why))
		return;
	for (size_t i = 0; urls && urls[i]; i++)
		if (!answered[i])
			answered[i] = url_ready(fb, urls[i], why);
	if (why->len == 0)
		add_faults(fb, s, test, why);
}

/* Returns the reasons of the last round, with details about units that are not ready.
 * Owned by the caller. */
static char *last_reasons(const struct firstboot *fb, struct snapshot *s, struct buf *why)
{
	_cleanup_buf_ struct buf b = {0};

	if (s->units.n == 0 || units_settled(&s->units))
		return buf_take(why);
	read_details(fb, &s->units);
	add_obstacles(fb, s, &b);
	add_units(&s->units, &b);
	/* The units may have settled while their logs were read. */
	return buf_take(b.len > 0 ? &b : why);
}

static bool wait_until(const struct firstboot *fb, struct snapshot *s, uint64_t end_ms,
		       unsigned poll_ms, bool test, char **why)
{
	_cleanup_free_ bool *answered =
		xcalloc(strv_len(s->config.role->ready), sizeof(*answered));

	for (;;) {
		_cleanup_buf_ struct buf reasons = {0};

		check_once(fb, s, answered, test, &reasons);
		if (reasons.len == 0)
			return true;
		if (now_ms() >= end_ms) {
			*why = last_reasons(fb, s, &reasons);
			return false;
		}
		sleep_ms(poll_ms);
	}
}

bool ready_wait(const struct firstboot *fb, struct snapshot *s, uint64_t end_ms,
		unsigned poll_ms, char **why)
{
	return wait_until(fb, s, end_ms, poll_ms, true, why);
}

bool ready_now(const struct firstboot *fb, struct snapshot *s, char **why)
{
	return wait_until(fb, s, 0, 0, false, why);
}
