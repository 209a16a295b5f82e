/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that could not be read are left out; the errors contain them.
 */
#include "firstboot/snapshot.h"
#include "firstboot/generation.h"
#include "firstboot/model/feature.h"
#include "lib/json.h"
#include "lib/text.h"

void snapshot_read(struct snapshot *ret, const struct firstboot *fb)
{
	*ret = (struct snapshot){0};
	(void)!config_load(&ret->config, fb); /* apply has recorded its complaints */
	boot_info_read(&ret->boot, fb);
	applied_read(&ret->applied, fb);
	ret->generation = generation_number(fb);
}

void snapshot_done(struct snapshot *s)
{
	config_done(&s->config);
	boot_info_done(&s->boot);
	applied_done(&s->applied);
	units_done(&s->units);
	verdict_done(&s->verdict);
}

/* Returns `value`, or NULL when the key could not be read. */
static const char *good(const struct host *h, enum host_key_id id, const char *value)
{
	return h->bad[id] ? NULL : value;
}

char *snapshot_who(const struct snapshot *s)
{
	const struct host *h = &s->config.host;
	const char *name = good(h, HOST_NAME, h->name),
		   *role = good(h, HOST_ROLE, h->role);

	return xasprintf("%s%s%s%s", name ? name : "a host without a name",
			 role ? " (" : "", role ? role : "", role ? ")" : "");
}

/* --- JSON ------------------------------------------------------------------------- */

static void json_cidr(struct json *j, const char *key, struct cidr c)
{
	char text[NET_CIDR_LEN];

	json_str(j, key, c.prefix ? net_format_cidr(c, text) : NULL);
}

static void json_host(struct json *j, const struct host *h)
{
	json_str(j, "host", good(h, HOST_NAME, h->name));
	json_str(j, "role", good(h, HOST_ROLE, h->role));
	json_str(j, "cluster", good(h, HOST_CLUSTER, h->cluster));
	if (h->dhcp)
		json_str(j, "address", "dhcp");
	else
		json_cidr(j, "address", h->address);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (h->features & FEATURE_BIT(i) && features[i]->column)
			host_json(h, features[i]->shown, j);
}

static void json_phases(struct json *j, const struct snapshot *s)
{
	struct phase p[PHASES_MAX];
	size_t n = phases_make(&s->boot, &s->applied,
			       s->verdict.ready ? s->verdict.uptime_ms : 0, p);

	json_open(j, "phases", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(j, NULL, '{');
		json_str(j, "name", p[i].name);
		json_u64(j, "ms", p[i].ms);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_units(struct json *j, const struct units *u)
{
	json_open(j, "units", '[');
	for (size_t i = 0; i < u->n; i++) {
		json_open(j, NULL, '{');
		json_str(j, "name", u->v[i].name);
		json_str(j, "active", u->v[i].active);
		json_str(j, "sub", u->v[i].sub);
		json_str(j, "result", u->v[i].result);
		if (u->v[i].log)
			json_strv(j, "log", u->v[i].log);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static const char *verdict_name(const struct verdict *v)
{
	return v->ready ? "ready" : v->starting ? "starting" : "failed";
}

char *snapshot_json(const struct snapshot *s)
{
	_cleanup_json_ struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_host(&j, &s->config.host);
	json_str(&j, "verdict", verdict_name(&s->verdict));
	json_str(&j, "why", s->verdict.why);
	json_str(&j, "config_sha256", s->config.sha256[0] ? s->config.sha256 : NULL);
	json_str(&j, "image", s->boot.image);
	json_str(&j, "root_sha256", s->boot.root_sha256);
	json_str(&j, "boot_id", s->boot.boot_id);
	json_u64(&j, "generation", s->generation);
	json_u64(&j, "uptime_ms", s->verdict.uptime_ms);
	json_phases(&j, s);
	json_units(&j, &s->units);
	json_strv(&j, "errors", s->applied.errors);
	json_strv(&j, "warnings", s->applied.warnings);
	json_close(&j, '}');
	return json_take(&j);
}

/* --- text ------------------------------------------------------------------------- */

static void text_value(struct buf *b, const struct host *h, enum host_key_id id)
{
	_cleanup_free_ char *value = host_show(h, id);

	if (*value)
		text_line(b, "%-10s%s", host_key(id)->name, value);
}

static void text_verdict(struct buf *b, const struct snapshot *s)
{
	const struct verdict *v = &s->verdict;

	text_append(b, "%-10s", "verdict");
	if (v->ready)
		text_line(b, "ready in %.1f s", (double)v->uptime_ms / 1000);
	else if (v->why)
		text_line(b, "failed: %s", v->why);
	else
		text_line(b, "not yet");
}

static void text_phases(struct buf *b, const struct snapshot *s)
{
	struct phase p[PHASES_MAX];
	size_t n = phases_make(&s->boot, &s->applied,
			       s->verdict.ready ? s->verdict.uptime_ms : 0, p);

	for (size_t i = 0; i < n; i++)
		text_line(b, "%-10s%s %.1f s", i ? "" : "phases", p[i].name,
			  (double)p[i].ms / 1000);
}

static void text_lines(struct buf *b, const char *what, char *const *lines)
{
	for (size_t i = 0; lines && lines[i]; i++)
		text_line(b, "%-10s%s", i ? "" : what, lines[i]);
}

char *snapshot_text(const struct snapshot *s)
{
	static const enum host_key_id shown[] = {HOST_CLUSTER, HOST_ADDRESS,
						 HOST_GATEWAY};
	const struct host *h = &s->config.host;
	_cleanup_free_ char *who = snapshot_who(s);
	_cleanup_buf_ struct buf b = {0};

	text_line(&b, "%-10s%s", "host", who);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		text_value(&b, h, shown[i]);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (h->features & FEATURE_BIT(i) && features[i]->shown != HOST_NAME)
			text_value(&b, h, features[i]->shown);
	if (s->applied.uplink)
		text_line(&b, "%-10s%s", "uplink", s->applied.uplink);
	if (s->boot.image)
		text_line(&b, "%-10s%s", "image", s->boot.image);
	if (s->config.sha256[0])
		text_line(&b, "%-10ssha256 %s", "config", s->config.sha256);
	if (s->generation)
		text_line(&b, "%-10sgeneration %llu", "files",
			  (unsigned long long)s->generation);
	text_verdict(&b, s);
	text_phases(&b, s);
	for (size_t i = 0; i < s->units.n; i++)
		text_line(&b, "%-10s%s: %s (%s)", i ? "" : "units", s->units.v[i].name,
			  s->units.v[i].active, s->units.v[i].sub);
	text_lines(&b, "errors", s->applied.errors);
	text_lines(&b, "warnings", s->applied.warnings);
	return buf_take(&b);
}
