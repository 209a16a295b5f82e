/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes values as host.cfg has them: host_load_conf reads the text of host_render back
 * to the same host.
 */
#include "firstboot/model/host-value.h"

#include "lib/url.h"

/* Appends element `i` of a list. */
static void format_element(struct buf *b, size_t i, const char *element)
{
	buf_puts(b, i ? ", " : "[ ");
	conf_quote(b, element);
}

static void format_strv(struct buf *b, char *const *v, bool set)
{
	if (!v || !v[0]) {
		buf_puts(b, set ? "[ ]" : "");
		return;
	}
	for (size_t i = 0; v[i]; i++)
		format_element(b, i, v[i]);
	buf_puts(b, " ]");
}

static void format_cidrv(struct buf *b, const struct cidrv *list, bool set)
{
	char text[NET_CIDR_LEN];

	if (list->n == 0) {
		buf_puts(b, set ? "[ ]" : "");
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		format_element(b, i, net_format_cidr(list->v[i], text));
	buf_puts(b, " ]");
}

static void format_cidr(struct buf *b, struct cidr c)
{
	char text[NET_CIDR_LEN];

	if (c.prefix)
		buf_printf(b, "\"%s\"", net_format_cidr(c, text));
}

static void format_addr(struct buf *b, uint32_t addr)
{
	char text[NET_ADDR_LEN];

	if (addr)
		buf_printf(b, "\"%s\"", net_format_addr(addr, text));
}

static void format_hostport(struct buf *b, struct hostport server)
{
	char text[NET_HOSTPORT_LEN];

	if (server.addr)
		buf_printf(b, "\"%s\"", net_format_hostport(server, text));
}

void host_value_format(const struct host *h, const struct host_key *k, struct buf *b)
{
	const void *at = (const char *)h + k->offset;
	char text[NET_MAC_LEN];
	bool set = h->set[k->id];

	switch (k->type) {
	case HOST_T_STR:
		if (*(char *const *)at)
			conf_quote(b, *(char *const *)at);
		break;
	case HOST_T_BOOL:
		if (set || h->origin[k->id].file)
			buf_puts(b, *(const bool *)at ? "true" : "false");
		break;
	case HOST_T_U32:
		if (*(const uint32_t *)at || set)
			buf_printf(b, "%u", *(const uint32_t *)at);
		break;
	case HOST_T_AS:
		/* libconfig reads larger numbers only as strings. */
		if (*(const uint32_t *)at)
			buf_printf(b, *(const uint32_t *)at > INT32_MAX ? "\"%u\"" : "%u",
				   *(const uint32_t *)at);
		break;
	case HOST_T_ADDR:
		format_addr(b, *(const uint32_t *)at);
		break;
	case HOST_T_CIDR_OR_DHCP:
		if (h->dhcp) {
			buf_puts(b, "\"dhcp\"");
			break;
		}
		format_cidr(b, *(const struct cidr *)at);
		break;
	case HOST_T_CIDR:
	case HOST_T_NETWORK:
		format_cidr(b, *(const struct cidr *)at);
		break;
	case HOST_T_MAC:
		if (h->has_mac)
			buf_printf(b, "\"%s\"",
				   net_format_mac(*(const struct mac *)at, ':', text));
		break;
	case HOST_T_HOSTPORT:
		format_hostport(b, *(const struct hostport *)at);
		break;
	case HOST_T_STRV:
		format_strv(b, *(char *const *const *)at, set);
		break;
	case HOST_T_CIDRV:
		format_cidrv(b, at, set);
		break;
	}
}

char *host_format(const struct host *h, enum host_key_id id)
{
	_cleanup_buf_ struct buf b = {0};

	host_value_format(h, host_key(id), &b);
	return buf_take(&b);
}

char *host_format_public(const struct host *h, enum host_key_id id)
{
	char *text = host_format(h, id);

	if (*text && host_key_is_secret(id)) {
		free(text);
		return xstrdup("\"(secret)\"");
	}
	if (id == HOST_REPORT)
		url_strip_secrets(text);
	else
		url_strip_userinfo(text);
	return text;
}

char *host_render(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};

	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		_cleanup_free_ char *value = host_format(h, id);

		if (h->set[id] && *value)
			buf_printf(&b, "%s = %s;\n", host_key(id)->name, value);
	}
	return buf_take(&b);
}
