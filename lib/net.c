/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses are not parsed with inet_aton(3), which accepts octal, hexadecimal and short
 * forms ("010.0.0.1" is 8.0.0.1): in a configuration these are mistakes.
 */
#include "lib/net.h"

#include "lib/str.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Parses a decimal number without leading zeros, at most `max`, and moves *s behind it,
 * as all parse_ functions do. Returns 0 or -EINVAL. */
static int parse_number(const char **s, uint32_t max, uint32_t *ret)
{
	const char *p = *s;
	uint32_t value = 0;

	if (!is_digit(*p) || (p[0] == '0' && is_digit(p[1])))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		value = value * 10 + (uint32_t)(*p - '0');
		if (value > max) /* `max` is small, so that `value` cannot wrap */
			return -EINVAL;
	}
	*s = p;
	*ret = value;
	return 0;
}

static int parse_char(const char **s, char c)
{
	if (**s != c)
		return -EINVAL;
	(*s)++;
	return 0;
}

static int parse_addr(const char **s, uint32_t *ret)
{
	uint32_t addr = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t part;

		if ((i > 0 && parse_char(s, '.') < 0) || parse_number(s, 255, &part) < 0)
			return -EINVAL;
		addr = addr << 8 | part;
	}
	*ret = addr;
	return 0;
}

int net_parse_addr(const char *s, uint32_t *ret)
{
	uint32_t addr;

	if (parse_addr(&s, &addr) < 0 || *s)
		return -EINVAL;
	*ret = addr;
	return 0;
}

int net_parse_cidr(const char *s, struct cidr *ret)
{
	uint32_t addr, prefix;

	if (parse_addr(&s, &addr) < 0 || parse_char(&s, '/') < 0 ||
	    parse_number(&s, 32, &prefix) < 0 || *s)
		return -EINVAL;
	*ret = (struct cidr){.addr = addr, .prefix = (uint8_t)prefix};
	return 0;
}

int net_parse_mac(const char *s, struct mac *ret)
{
	struct mac mac;
	const bool dots = strnlen(s, 5) == 5 && s[4] == '.'; /* as switches print it */
	char sep = '.';

	for (size_t i = 0; i < sizeof(mac.b); i++) {
		int byte;

		if (i == 1 && !dots)
			sep = *s == ':' ? ':' : '-';
		if (i > 0 && (i % 2 == 0 || !dots) && *s++ != sep)
			return -EINVAL;
		byte = str_hex_byte(s);
		if (byte < 0)
			return -EINVAL;
		mac.b[i] = (uint8_t)byte;
		s += 2;
	}
	if (*s)
		return -EINVAL;
	*ret = mac;
	return 0;
}

int net_parse_hostport(const char *s, struct hostport *ret)
{
	uint32_t addr, port;

	if (parse_addr(&s, &addr) < 0 || parse_char(&s, ':') < 0 ||
	    parse_number(&s, UINT16_MAX, &port) < 0 || *s || port == 0)
		return -EINVAL;
	*ret = (struct hostport){.addr = addr, .port = (uint16_t)port};
	return 0;
}

const char *net_format_addr(uint32_t addr, char out[static NET_ADDR_LEN])
{
	snprintf(out, NET_ADDR_LEN, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
		 addr >> 8 & 255, addr & 255);
	return out;
}

const char *net_format_cidr(struct cidr c, char out[static NET_CIDR_LEN])
{
	char addr[NET_ADDR_LEN];

	snprintf(out, NET_CIDR_LEN, "%s/%u", net_format_addr(c.addr, addr),
		 c.prefix % 100u);
	return out;
}

const char *net_format_mac(struct mac m, char sep, char out[static NET_MAC_LEN])
{
	str_hex(m.b, 1, out);
	for (size_t i = 1; i < sizeof(m.b); i++) {
		out[3 * i - 1] = sep;
		str_hex(m.b + i, 1, out + 3 * i);
	}
	return out;
}

const char *net_format_hostport(struct hostport h, char out[static NET_HOSTPORT_LEN])
{
	char addr[NET_ADDR_LEN];

	snprintf(out, NET_HOSTPORT_LEN, "%s:%u", net_format_addr(h.addr, addr), h.port);
	return out;
}

uint32_t net_mask(uint8_t prefix)
{
	if (prefix == 0)
		return 0; /* shifting by 32 is undefined */
	return prefix >= 32 ? UINT32_MAX : UINT32_MAX << (32 - prefix);
}

uint32_t net_network(struct cidr c)
{
	return c.addr & net_mask(c.prefix);
}

uint32_t net_broadcast(struct cidr c)
{
	return c.addr | ~net_mask(c.prefix);
}

bool net_contains(struct cidr net, uint32_t addr)
{
	return ((net.addr ^ addr) & net_mask(net.prefix)) == 0;
}

bool net_overlap(struct cidr a, struct cidr b)
{
	return a.prefix <= b.prefix ? net_contains(a, b.addr) : net_contains(b, a.addr);
}

bool net_inside(struct cidr inner, struct cidr outer)
{
	return inner.prefix >= outer.prefix && net_contains(outer, inner.addr);
}

bool net_is_network(struct cidr c)
{
	return c.addr == net_network(c);
}

bool net_is_host(struct cidr c)
{
	return c.prefix >= 31 || (c.addr != net_network(c) && c.addr != net_broadcast(c));
}

bool net_is_machine(uint32_t addr)
{
	return addr >> 24 != 0 && addr >> 24 != 127 && addr >> 28 < 0xe;
}

bool mac_is_unicast(struct mac m)
{
	static const struct mac zero;

	return (m.b[0] & 1) == 0 && memcmp(&m, &zero, sizeof(m)) != 0;
}
