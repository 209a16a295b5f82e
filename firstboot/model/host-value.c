/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one value of each type from text. Each parser writes the field that the key's row
 * of the table names, and leaves it as it was when the text is wrong.
 *
 * Limit: parse_mac and parse_cidr_or_dhcp also set has_mac and dhcp, which exist once in
 * struct host. A second key of one of these two types needs a flag of its own.
 */
#include "firstboot/model/host-value.h"

#include "firstboot/model/conf-note.h"

static void *at(struct host *h, const struct host_key *k)
{
	return (char *)h + k->offset;
}

static int parse_str(struct host *h, const struct host_key *k, const char *text)
{
	char **s = at(h, k);

	if (!*text)
		return -EINVAL;
	free(*s);
	*s = xstrdup(text);
	return 0;
}

static int parse_bool(struct host *h, const struct host_key *k, const char *text)
{
	if (!streq(text, "true") && !streq(text, "false"))
		return -EINVAL;
	*(bool *)at(h, k) = streq(text, "true");
	return 0;
}

static int parse_u32(struct host *h, const struct host_key *k, const char *text)
{
	uint64_t v;

	if (str_to_u64(text, INT32_MAX, &v) < 0)
		return -EINVAL;
	*(uint32_t *)at(h, k) = (uint32_t)v;
	return 0;
}

static int parse_as(struct host *h, const struct host_key *k, const char *text)
{
	uint64_t v;

	if (str_to_u64(text, UINT32_MAX, &v) < 0 || v == 0)
		return -EINVAL;
	*(uint32_t *)at(h, k) = (uint32_t)v;
	return 0;
}

static int parse_addr(struct host *h, const struct host_key *k, const char *text)
{
	uint32_t addr;

	if (net_parse_addr(text, &addr) < 0 || addr == 0)
		return -EINVAL;
	*(uint32_t *)at(h, k) = addr;
	return 0;
}

static int parse_cidr(struct host *h, const struct host_key *k, const char *text)
{
	struct cidr c;

	if (net_parse_cidr(text, &c) < 0 || c.prefix == 0)
		return -EINVAL;
	*(struct cidr *)at(h, k) = c;
	return 0;
}

static int parse_cidr_or_dhcp(struct host *h, const struct host_key *k, const char *text)
{
	if (streq(text, "dhcp")) {
		h->dhcp = true;
		*(struct cidr *)at(h, k) = (struct cidr){0};
		return 0;
	}
	if (parse_cidr(h, k, text) < 0)
		return -EINVAL;
	h->dhcp = false;
	return 0;
}

static int parse_mac(struct host *h, const struct host_key *k, const char *text)
{
	if (net_parse_mac(text, at(h, k)) < 0)
		return -EINVAL;
	h->has_mac = true;
	return 0;
}

static int parse_hostport(struct host *h, const struct host_key *k, const char *text)
{
	struct hostport server;

	if (net_parse_hostport(text, &server) < 0 || server.addr == 0)
		return -EINVAL;
	*(struct hostport *)at(h, k) = server;
	return 0;
}

static size_t parse_strv(struct host *h, const struct host_key *k, char *const *v)
{
	for (size_t i = 0; v && v[i]; i++)
		if (!*v[i])
			return i + 1;
	strv_free(*(char ***)at(h, k));
	*(char ***)at(h, k) = strv_dup(v);
	return 0;
}

static size_t parse_cidrv(struct host *h, const struct host_key *k, char *const *v)
{
	struct cidrv *list = at(h, k);
	size_t n = strv_len(v);
	_cleanup_free_ struct cidr *nets = xcalloc(n, sizeof(*nets));

	for (size_t i = 0; i < n; i++)
		if (net_parse_cidr(v[i], &nets[i]) < 0 || nets[i].prefix == 0)
			return i + 1;
	free(list->v);
	*list = (struct cidrv){.v = n ? TAKE_PTR(nets) : NULL, .n = n};
	return 0;
}

const struct host_value_type host_value_types[] = {
	[HOST_T_STR] = {CONF_STRING, parse_str, NULL, "a string that is not empty", NULL},
	[HOST_T_BOOL] = {CONF_BOOL, parse_bool, NULL, "true or false", NULL},
	[HOST_T_U32] = {CONF_INT, parse_u32, NULL, "0 or a positive number", NULL},
	[HOST_T_AS] = {CONF_STRING, parse_as, NULL,
		       "an AS number, 1 to 4294967295, in quotes from 2147483648", NULL},
	[HOST_T_ADDR] = {CONF_STRING, parse_addr, NULL,
			 "an IPv4 address like \"172.25.0.1\"", NULL},
	[HOST_T_CIDR] = {CONF_STRING, parse_cidr, NULL,
			 "an IPv4 address with its prefix, like \"192.168.1.1/24\"",
			 NULL},
	[HOST_T_NETWORK] = {CONF_STRING, parse_cidr, NULL,
			    "an IPv4 network with its prefix, like \"172.25.0.0/24\"",
			    NULL},
	[HOST_T_CIDR_OR_DHCP] = {CONF_STRING, parse_cidr_or_dhcp, NULL,
				 "an IPv4 address with its prefix, like "
				 "\"172.25.0.11/24\", or \"dhcp\"",
				 NULL},
	[HOST_T_MAC] = {CONF_STRING, parse_mac, NULL,
			"a MAC address like \"52:54:00:25:00:11\"", NULL},
	[HOST_T_HOSTPORT] = {CONF_STRING, parse_hostport, NULL,
			     "an IPv4 address and a port, like \"172.25.0.10:4001\"",
			     NULL},
	[HOST_T_STRV] = {CONF_LIST, NULL, parse_strv,
			 "a list of strings: [ \"...\", ... ]",
			 "a string that is not empty"},
	[HOST_T_CIDRV] = {CONF_LIST, NULL, parse_cidrv,
			  "a list of networks: [ \"10.0.0.0/8\", ... ]",
			  "a network like \"10.0.0.0/8\""},
};

void host_value_done(struct host *h, const struct host_key *k)
{
	switch (k->type) {
	case HOST_T_STR:
		free(*(char **)at(h, k));
		break;
	case HOST_T_STRV:
		strv_free(*(char ***)at(h, k));
		break;
	case HOST_T_CIDRV:
		free(((struct cidrv *)at(h, k))->v);
		break;
	default:
		break;
	}
}

/* The sizes of the fields. */
static const size_t sizes[] = {
	[HOST_T_STR] = sizeof(char *),
	[HOST_T_BOOL] = sizeof(bool),
	[HOST_T_U32] = sizeof(uint32_t),
	[HOST_T_AS] = sizeof(uint32_t),
	[HOST_T_ADDR] = sizeof(uint32_t),
	[HOST_T_CIDR] = sizeof(struct cidr),
	[HOST_T_NETWORK] = sizeof(struct cidr),
	[HOST_T_CIDR_OR_DHCP] = sizeof(struct cidr),
	[HOST_T_MAC] = sizeof(struct mac),
	[HOST_T_HOSTPORT] = sizeof(struct hostport),
	[HOST_T_STRV] = sizeof(char **),
	[HOST_T_CIDRV] = sizeof(struct cidrv),
};

void host_value_clear(struct host *h, const struct host_key *k)
{
	host_value_done(h, k);
	memset(at(h, k), 0, sizes[k->type]);
	if (k->type == HOST_T_CIDR_OR_DHCP)
		h->dhcp = false;
	if (k->type == HOST_T_MAC)
		h->has_mac = false;
}

bool host_value_is_there(const struct host *h, const struct host_key *k)
{
	const void *value = (const char *)h + k->offset;

	switch (k->type) {
	case HOST_T_STR:
		return *(char *const *)value;
	case HOST_T_STRV:
		return strv_len(*(char *const *const *)value) > 0;
	case HOST_T_ADDR:
		return *(const uint32_t *)value;
	case HOST_T_CIDR:
	case HOST_T_NETWORK:
		return ((const struct cidr *)value)->prefix;
	case HOST_T_CIDR_OR_DHCP:
		return !h->dhcp && ((const struct cidr *)value)->prefix;
	case HOST_T_HOSTPORT:
		return ((const struct hostport *)value)->addr;
	case HOST_T_MAC:
		return h->has_mac;
	default:
		return true;
	}
}

char *host_value_must_be(const struct host_key *k, size_t element, const char *value)
{
	const struct host_value_type *t = &host_value_types[k->type];
	_cleanup_free_ char *cut = xstrndup(value, 60);
	_cleanup_buf_ struct buf b = {0};

	if (element)
		buf_printf(&b, "element %zu must be %s", element, t->element);
	else
		buf_printf(&b, "must be %s", t->what);
	if (*value) {
		buf_puts(&b, ", not ");
		conf_quote(&b, cut);
	}
	if (strlen(value) > strlen(cut))
		buf_puts(&b, "...");
	buf_puts(&b, conf_value_note(value));
	return buf_take(&b);
}
