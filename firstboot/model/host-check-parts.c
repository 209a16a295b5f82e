/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/host-check-parts.h"

#include "firstboot/model/conf-note.h"
#include "firstboot/model/feature.h"
#include "firstboot/model/host-value.h"
#include "lib/url.h"

#define SHOWN_MAX 60

void check_mark(struct check *c, enum host_key_id id)
{
	if (c->bad)
		c->bad[id] = true;
	c->r = -1;
}

void check_complain(struct check *c, enum host_key_id id, const char *fmt, ...)
{
	_cleanup_free_ char *msg = NULL;
	const struct diag_place at = host_place(c->h, id);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	diag_add_at(c->d, &at, "%s: %s", host_key(id)->name, msg);
	check_mark(c, id);
}

void check_other(struct check *c, enum host_key_id id)
{
	const struct diag_place at = host_place(c->h, id);

	diag_other(c->d, &at);
}

void check_missing(struct check *c, enum host_key_id id, const char *what)
{
	bool named = c->h->name && !c->h->bad[HOST_NAME];
	enum host_key_id at = HOST_NAME;
	struct diag_place place;

	for (enum host_key_id i = 0; i < HOST_KEY_COUNT && !c->h->set[at]; i++)
		if (c->h->set[i])
			at = i;
	place = host_place(c->h, at);
	diag_add_at(c->d, c->h->set[at] ? &place : NULL, "%s%s%s has no %s: %s",
		    named ? "host '" : "the host", named ? c->h->name : "",
		    named ? "'" : "", host_key(id)->name, what);
	check_mark(c, id);
}

bool check_have(const struct check *c, enum host_key_id id)
{
	const struct feature *f = feature_of_key(id);

	if (f && !(c->h->features & FEATURE_BIT(f->id)))
		return false;
	return !c->h->bad[id] && host_value_is_there(c->h, host_key(id));
}

const char *check_show(const char *s, char out[static CHECK_SHOWN])
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_free_ char *text = xstrdup(s);
	bool is_long;

	url_strip_secrets(text); /* before it is cut: it may be cut in a password */
	is_long = strlen(text) > SHOWN_MAX;
	if (is_long)
		text[SHOWN_MAX] = '\0';
	conf_quote(&b, text);
	snprintf(out, CHECK_SHOWN, "%s%s", b.p, is_long ? "..." : "");
	return out;
}

void check_word(struct check *c, enum host_key_id id, const char *s,
		const char *(*wrong)(const char *s))
{
	const char *what = s && !c->h->bad[id] ? wrong(s) : NULL;
	char shown[CHECK_SHOWN];

	if (what)
		check_complain(c, id, "%s %s%s", check_show(s, shown), what,
			       conf_value_note(s));
}

void check_words(struct check *c, enum host_key_id id, char *const *v, size_t max,
		 const char *(*wrong)(const char *s))
{
	if (c->h->bad[id])
		return;
	if (max && strv_len(v) > max)
		check_complain(c, id, "%zu entries, but at most %zu are used",
			       strv_len(v), max);
	for (size_t i = 0; v && v[i]; i++)
		check_word(c, id, v[i], wrong);
}

void check_network(struct check *c, enum host_key_id id, struct cidr net)
{
	struct cidr fixed = {.addr = net_network(net), .prefix = net.prefix};
	char a[NET_CIDR_LEN], b[NET_CIDR_LEN];

	if (!net_is_network(net))
		check_complain(c, id, "%s has host bits set: the network is %s",
			       net_format_cidr(net, a), net_format_cidr(fixed, b));
}

void check_network_apart(struct check *c, enum host_key_id id, struct cidr net,
			 enum host_key_id other, struct cidr other_net)
{
	char a[NET_CIDR_LEN], b[NET_CIDR_LEN], where[512];

	if (!check_have(c, id) || !check_have(c, other) || !net_overlap(net, other_net))
		return;
	check_complain(c, id, "%s overlaps %s %s (%s)", net_format_cidr(net, a),
		       host_key(other)->name, net_format_cidr(other_net, b),
		       host_where(c->h, other, where, sizeof(where)));
	check_other(c, other);
}

void check_mtu(struct check *c, enum host_key_id id, uint32_t mtu)
{
	if (!c->h->bad[id] && mtu && (mtu < 576 || mtu > 65535))
		check_complain(c, id,
			       "must be 576 to 65535, or 0 to leave it as it is, not %u",
			       mtu);
}
