/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"
#include "pxe/diff.h"

static void append_side(struct json *j, const char *key, const struct diff_side *s)
{
	json_open(j, key, '{');
	json_str(j, "path", s->name);
	json_str(j, "kind", s->rack ? "rack" : s->rack_name ? "tree" : "nothing");
	json_str(j, "rack", s->rack_name);
	json_str(j, "image", s->image_name);
	json_str(j, "image_id", s->image_id);
	json_close(j, '}');
}

static void append_values(struct json *j, const struct diff_value *v, size_t n)
{
	json_open(j, "values", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(j, NULL, '{');
		json_str(j, "key", v[i].key);
		json_str(j, "old", v[i].old);
		json_str(j, "new", v[i].new);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_effect(struct json *j, const struct diff_effect *f)
{
	json_open(j, "effect", '{');
	json_str(j, "kind", diff_effect_kind(f));
	json_strv(j, "boot", f->boot);
	json_strv(j, "restart", f->units);
	json_strv(j, "restart_with", f->with);
	json_strv(j, "live", f->live);
	json_strv(j, "unknown", f->unknown);
	json_close(j, '}');
}

static void append_members(struct json *j, const char *key, const struct diff_members *m)
{
	char mac[NET_MAC_LEN], addr[NET_ADDR_LEN];

	json_open(j, key, '[');
	for (size_t i = 0; i < m->n; i++) {
		const struct diff_member *one = &m->v[i];

		json_open(j, NULL, '{');
		json_str(j, "name", one->name);
		json_str(j, "role", one->role);
		json_str(j, "mac", net_format_mac(one->mac, ':', mac));
		json_str(j, "address",
			 one->address ? net_format_addr(one->address, addr) : "dhcp");
		json_close(j, '}');
	}
	json_close(j, ']');
}

char *diff_json(const struct diff *d)
{
	_cleanup_json_ struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	append_side(&j, "old", d->old);
	append_side(&j, "new", d->new);
	json_bool(&j, "same", diff_is_same(d));
	json_strv(&j, "unknown", d->unknown);
	json_open(&j, "rack", '{');
	append_values(&j, d->v, d->n);
	append_effect(&j, &d->effect);
	json_close(&j, '}');
	append_members(&j, "appear", &d->appear);
	append_members(&j, "vanish", &d->vanish);
	json_open(&j, "change", '[');
	for (size_t i = 0; i < d->n_changes; i++) {
		const struct diff_change *c = &d->changes[i];

		json_open(&j, NULL, '{');
		json_str(&j, "name", c->name);
		json_str(&j, "renamed_from", c->was);
		append_values(&j, c->v, c->n);
		append_effect(&j, &c->effect);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	return json_take(&j);
}
