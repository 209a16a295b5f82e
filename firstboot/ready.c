/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cheap to wait with: one systemctl a round, and no URL is asked before all units are
 * active, nor again once it has answered.
 */
#include "ready.h"
#include "http.h"
#include "lib/file.h"
#include "route.h"

#define ENVIRONMENT     "etc/network-environment"
#define ENVIRONMENT_MAX (256 * 1024)

/* The value of NAME in NAME=VALUE lines, without quotes around it; NULL: not there. */
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

/* --- one look --------------------------------------------------------------------- */

static void tell(struct buf *why, const char *text)
{
	buf_printf(why, "%s%s", why->len ? "; " : "", text);
}

static bool units_ready(struct snapshot *s, struct buf *why)
{
	struct units now;
	struct err e;

	if (units_query(&now, s->config.role->units, &e) < 0) {
		tell(why, e.msg);
		return false;
	}
	units_done(&s->units);
	s->units = now;
	for (size_t i = 0; i < now.n; i++) {
		_cleanup_free_ char *text = unit_text(&now.v[i]);

		if (!unit_ready(&now.v[i]))
			tell(why, text);
	}
	return why->len == 0;
}

/* Before any unit: it is why some of them do not work. */
static void tell_route(const struct firstboot *fb, const struct snapshot *s,
		       struct buf *why)
{
	_cleanup_free_ char *missing = NULL;

	if (s->config.role->cbr0)
		missing = route_missing(fb, &s->config.host, s->applied.uplink);
	if (missing)
		tell(why, missing);
}

static bool url_ready(const struct firstboot *fb, const char *url, struct buf *why)
{
	_cleanup_free_ char *environment = NULL, *full = NULL, *text = NULL;
	unsigned status;
	struct err e;

	if (file_read_at(fb->rootfd, ENVIRONMENT, ENVIRONMENT_MAX, &environment, NULL) <
	    0)
		environment = xstrdup("");
	full = ready_expand(url, environment, &e);
	if (!full) {
		tell(why, e.msg);
		return false;
	}
	if (http_get(full, &status, NULL, &e) < 0)
		text = xasprintf("%s does not answer (%s)", full, e.msg);
	else if (status / 100 != 2)
		text = xasprintf("%s answers %u", full, status);
	else
		return true;
	tell(why, text);
	return false;
}

bool ready_wait(const struct firstboot *fb, struct snapshot *s, uint64_t end_ms,
		unsigned poll_ms, char **why)
{
	char *const *urls = s->config.role->ready;
	_cleanup_free_ bool *answered = xcalloc(strv_len(urls), sizeof(*answered));

	for (;;) {
		_cleanup_buf_ struct buf reasons = {0};

		tell_route(fb, s, &reasons);
		if (units_ready(s, &reasons))
			for (size_t i = 0; urls && urls[i]; i++)
				if (!answered[i])
					answered[i] = url_ready(fb, urls[i], &reasons);
		if (reasons.len == 0)
			return true;
		if (now_ms() >= end_ms) {
			*why = buf_take(&reasons);
			return false;
		}
		sleep_ms(poll_ms);
	}
}
