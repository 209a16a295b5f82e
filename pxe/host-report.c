/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report comes from a machine on the network and may contain anything: the caller
 * limits its size, and nothing in it is used as a path.
 */
#include "pxe/host-report.h"

#include "lib/url.h"
#include "pxe/json-get.h"

#define PHASE_NAME_MAX 32
#define UNIT_NAME_MAX  255 /* as in systemd */
#define UNIT_LINES_MAX 10  /* of a unit's log; firstboot sends 5 */
#define LINE_BYTES_MAX 300 /* as firstboot cuts them */
#define WARNINGS_MAX   20

/* Checks the name of a phase, which becomes the title of a column. */
static bool is_phase_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= PHASE_NAME_MAX && !s[n];
}

static int phases_parse(struct report *r, const json_t *j, struct err *e)
{
	const json_t *a;

	if (json_get_array(j, "phases", &a, e) < 0)
		return -1;
	r->phases = xcalloc(json_array_size(a) + 1, sizeof(*r->phases));
	for (size_t i = 0; i < json_array_size(a); i++) {
		struct report_phase *p = &r->phases[r->n_phases++];
		const json_t *v = json_array_get(a, i);

		if (json_get_str(v, "name", &p->name, e) < 0 ||
		    json_get_u64(v, "ms", &p->ms, e) < 0)
			return err_wrap(e, "phases");
		if (!is_phase_name(p->name))
			return err_set(e, ERR_FAILED,
				       "phases: a name must be of at most %d lower-case "
				       "letters, digits and '-'",
				       PHASE_NAME_MAX);
	}
	return 0;
}

/* Adds the last lines of a unit's log, at most `max` in all, if the unit's state is the
 * one asked for by `failed`. The member is optional, and elements that are not strings
 * are left out. */
static void add_last_lines(struct strv_builder *lines, const json_t *unit, bool failed,
			   size_t max)
{
	const char *name = json_string_value(json_object_get(unit, "name"));
	const char *result = json_string_value(json_object_get(unit, "result"));
	const json_t *log = json_object_get(unit, "log");
	size_t n = json_array_size(log);

	if ((result && !streq(result, "success")) != failed)
		return;
	for (size_t i = n > UNIT_LINES_MAX ? n - UNIT_LINES_MAX : 0;
	     i < n && lines->n < max; i++) {
		_cleanup_free_ char *line =
			xstrdup(json_string_value(json_array_get(log, i)));

		if (!line)
			continue;
		url_strip_secrets(line); /* before it is cut: see lib/err.c */
		strv_builder_addf(lines, "%s: %.*s", name, LINE_BYTES_MAX, line);
	}
}

static int units_parse(struct report *r, const json_t *j, size_t max_lines, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder failed = {0}, lines = {0};
	const json_t *a;

	if (json_get_array(j, "units", &a, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(a); i++) {
		_cleanup_free_ char *name = NULL, *active = NULL;
		const json_t *v = json_array_get(a, i);

		if (json_get_str(v, "name", &name, e) < 0 ||
		    json_get_str(v, "active", &active, e) < 0)
			return err_wrap(e, "units");
		if (strlen(name) > UNIT_NAME_MAX)
			return err_set(e, ERR_FAILED,
				       "units: a name must be of at most %d bytes",
				       UNIT_NAME_MAX);
		if (streq(active, "failed"))
			strv_builder_add(&failed, name);
	}
	for (int bad = 1; bad >= 0; bad--)
		for (size_t i = 0; i < json_array_size(a) && lines.n < max_lines; i++)
			add_last_lines(&lines, json_array_get(a, i), bad, max_lines);
	r->failed_units = strv_builder_take(&failed);
	r->last_lines = strv_builder_take(&lines);
	return 0;
}

/* Reads the warnings. The member is optional, and elements that are not strings are left
 * out. */
static void warnings_parse(struct report *r, const json_t *j)
{
	const json_t *a = json_object_get(j, "warnings");
	_cleanup_strv_builder_ struct strv_builder v = {0};

	for (size_t i = 0; i < json_array_size(a) && v.n < WARNINGS_MAX; i++) {
		_cleanup_free_ char *line =
			xstrdup(json_string_value(json_array_get(a, i)));

		if (!line)
			continue;
		url_strip_secrets(line); /* before it is cut: see lib/err.c */
		strv_builder_addf(&v, "%.*s", LINE_BYTES_MAX, line);
	}
	r->warnings = strv_builder_take(&v);
}

static int columns_parse(struct host_columns *c, const json_t *j, struct err *e)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (column_key(i) &&
		    json_get_str_or_null(j, column_key(i), &c->v[i], e) < 0)
			return -1;
	return 0;
}

static int report_read(struct report *r, const json_t *j, size_t max_lines, struct err *e)
{
	if (json_check_format(j, e) < 0 ||
	    json_get_str_or_null(j, "host", &r->host, e) < 0 ||
	    json_get_str_or_null(j, "role", &r->role, e) < 0 ||
	    json_get_str_or_null(j, "address", &r->address, e) < 0 ||
	    columns_parse(&r->columns, j, e) < 0 ||
	    json_get_str(j, "verdict", &r->verdict, e) < 0 ||
	    json_get_str_or_null(j, "why", &r->why, e) < 0 ||
	    json_get_str_or_null(j, "config_sha256", &r->config_sha256, e) < 0 ||
	    json_get_str_or_null(j, "boot_id", &r->boot_id, e) < 0 ||
	    json_get_u64(j, "generation", &r->generation, e) < 0 ||
	    json_get_u64(j, "uptime_ms", &r->uptime_ms, e) < 0 ||
	    phases_parse(r, j, e) < 0 || units_parse(r, j, max_lines, e) < 0)
		return -1;
	if (!streq(r->verdict, "ready") && !streq(r->verdict, "failed") &&
	    !streq(r->verdict, "starting"))
		return err_set(e, ERR_FAILED,
			       "member 'verdict' must be \"ready\", \"failed\" or "
			       "\"starting\"");
	warnings_parse(r, j);
	return 0;
}

int report_parse(struct report *ret, const char *text, size_t len, size_t max_lines,
		 struct err *e)
{
	_cleanup_jansson_ json_t *j = NULL;

	*ret = (struct report){0};
	if (json_get_object(&j, text, len, e) < 0)
		return -1;
	if (report_read(ret, j, max_lines, e) < 0) {
		report_done(ret);
		return -1;
	}
	return 0;
}

void report_done(struct report *r)
{
	for (size_t i = 0; i < r->n_phases; i++)
		free(r->phases[i].name);
	free(r->phases);
	free(r->host);
	free(r->role);
	free(r->address);
	columns_done(&r->columns);
	free(r->verdict);
	free(r->why);
	free(r->config_sha256);
	free(r->boot_id);
	strv_free(r->failed_units);
	strv_free(r->warnings);
	strv_free(r->last_lines);
	*r = (struct report){0};
}
