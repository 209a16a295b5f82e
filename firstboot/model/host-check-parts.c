/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/host-check-parts.h"

#include "firstboot/model/conf-note.h"
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
	char where[512];
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	diag_add(c->d, "%s: %s: %s", host_where(c->h, id, where, sizeof(where)),
		 host_keys[id].name, msg);
	check_mark(c, id);
}

bool check_have(const struct check *c, enum host_key_id id)
{
	const struct host *h = c->h;

	if (h->bad[id])
		return false;
	switch (id) {
	case HOST_NAME:
		return h->name;
	case HOST_ADDRESS:
		return !h->dhcp && h->address.prefix;
	case HOST_GATEWAY:
		return h->gateway;
	case HOST_MASTER:
		return h->master;
	case HOST_CBR0:
		return h->cbr0.prefix;
	case HOST_BOND:
		return strv_len(h->bond) > 0;
	default:
		return true;
	}
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
