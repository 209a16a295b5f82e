/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq has no reservation by option 97. A tag that is set by the host's MAC address or
 * by its UUID, and a dhcp-host for any MAC address with that tag, are one.
 *
 * Kea has none either: there a UUID is as a serial number.
 *
 * Limit: a serial number with other characters than letters, digits, blanks and "-._+"
 * finds no host here, only on a boot medium.
 */
#include "pxe/tree-strangers.h"

#include "pxe/dhcp-server.h"

#define LEASE "2m"

bool strangers_has_uuids(const struct tree_plan *p)
{
	for (size_t i = 0; i < p->rack->n_hosts && !p->o.proxy_dhcp; i++)
		if (p->rack->hosts[i].uuid)
			return true;
	return false;
}

/* --- dnsmasq ---------------------------------------------------------------------- */

struct cidr strangers_network(const struct rack *r)
{
	for (size_t i = 0; i < r->n_hosts; i++) {
		struct cidr net = tree_host_network(&r->hosts[i].host);

		if (net.prefix && net_contains(net, r->strangers.first) &&
		    net_contains(net, r->strangers.last))
			return net;
	}
	return r->network;
}

void strangers_append_range(const struct tree_plan *p, struct buf *b)
{
	const struct rack_strangers *s = &p->rack->strangers;
	char first[NET_ADDR_LEN], last[NET_ADDR_LEN], mask[NET_ADDR_LEN];

	if (!s->first)
		return;
	buf_printf(b,
		   "\n# Machines that are no hosts of the rack.\ndhcp-range=%s,%s,%s,%s",
		   net_format_addr(s->first, first), net_format_addr(s->last, last),
		   net_format_addr(net_mask(strangers_network(p->rack).prefix), mask),
		   LEASE);
}

/* Appends the UUID as option 97 has it: type 0, and the first three fields with their
 * lowest byte first, as in SMBIOS. */
static void append_option_97(struct buf *b, const char *uuid)
{
	static const uint8_t order[16] = {3, 2, 1,  0,  5,  4,  7,  6,
					  8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t bytes[16] = {0};
	size_t n = 0;

	for (const char *s = uuid; *s && n < sizeof(bytes); s++) {
		int byte = *s == '-' ? -1 : str_hex_byte(s);

		if (byte < 0)
			continue;
		bytes[n++] = (uint8_t)byte;
		s++;
	}
	buf_puts(b, "00");
	for (size_t i = 0; i < sizeof(order); i++)
		buf_printf(b, ":%02x", bytes[order[i]]);
}

void strangers_append_tags(const struct tree_plan *p, struct buf *b)
{
	char mac[NET_MAC_LEN];

	if (!strangers_has_uuids(p))
		return;
	buf_puts(b, "\n# Hosts that are also found by their UUID (option 97).");
	for (size_t i = 0; i < p->rack->n_hosts; i++) {
		const struct rack_host *h = &p->rack->hosts[i];

		if (!h->uuid)
			continue;
		buf_printf(b, "\ndhcp-mac=set:host%zu,%s", i + 1,
			   net_format_mac(h->host.mac, ':', mac));
		buf_printf(b, "\ndhcp-match=set:host%zu,97,", i + 1);
		append_option_97(b, h->uuid);
	}
}

void strangers_append_host(const struct tree_plan *p, size_t i, struct buf *b)
{
	if (p->rack->hosts[i].uuid)
		buf_printf(b, ",*:*:*:*:*:*,tag:host%zu", i + 1);
	else
		buf_puts(b, ",tag:!none"); /* no machine has it */
}

/* --- nginx ------------------------------------------------------------------------ */

/* Appends the networks that together are the addresses from `first` to `last`. */
static void append_blocks(struct buf *b, uint64_t first, uint64_t last)
{
	while (first <= last) {
		unsigned bits = 0;
		char text[NET_CIDR_LEN];
		struct cidr net;

		while (bits < 32 && (first & (1ULL << bits)) == 0 &&
		       first + (2ULL << bits) - 1 <= last)
			bits++;
		net = (struct cidr){(uint32_t)first, (uint8_t)(32 - bits)};
		buf_printf(b, "%s%s 1;", b->len ? "\n\t\t" : "",
			   net_format_cidr(net, text));
		first += 1ULL << bits;
	}
}

char *strangers_nginx_networks(const struct tree_plan *p)
{
	_cleanup_buf_ struct buf b = {0};

	if (p->rack->strangers.first)
		append_blocks(&b, p->rack->strangers.first, p->rack->strangers.last);
	return buf_take(&b);
}

static bool serial_is_plain(const char *s)
{
	return !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789 ._+-")];
}

static void append_file(struct buf *b, const char *asker, const char *how,
			const char *name, struct mac mac)
{
	char text[NET_MAC_LEN];

	buf_printf(b, "%s\"1 %s %s %s\" /hosts/%s.$own_kind;", b->len ? "\n\t\t" : "",
		   asker, how, name, net_format_mac(mac, '-', text));
}

char *strangers_nginx_files(const struct tree_plan *p)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < p->rack->n_hosts; i++) {
		const struct rack_host *h = &p->rack->hosts[i];
		char addr[NET_ADDR_LEN];
		const char *asker = p->o.proxy_dhcp
					    ? "stranger"
					    : net_format_addr(h->host.address.addr, addr);

		if (h->uuid)
			append_file(&b, asker, "uuid", h->uuid, h->host.mac);
		if (h->uuid && !p->o.proxy_dhcp && p->o.dhcp != dhcp_servers)
			append_file(&b, "stranger", "uuid", h->uuid, h->host.mac);
		if (!h->serial || !serial_is_plain(h->serial))
			continue;
		append_file(&b, asker, "serial", h->serial, h->host.mac);
		if (!p->o.proxy_dhcp)
			append_file(&b, "stranger", "serial", h->serial, h->host.mac);
	}
	return buf_take(&b);
}
