/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warnings about a rack that is right: values that are allowed, but with which something
 * does not work, or that are seldom meant.
 */
#include "firstboot/model/feature.h"
#include "lib/log.h"
#include "pxe/feature.h"
#include "pxe/owners.h"
#include "pxe/rack-check.h"
#include "pxe/rack-fold.h"

static struct diag_place whole_file(const struct rack *r)
{
	return (struct diag_place){.file = r->file};
}

/* Warns about hosts of other networks than the boot server's, which does not hear their
 * requests. */
static void warn_relay(const struct rack *r, struct diag *d)
{
	size_t others = 0, first = 0;
	char net[NET_CIDR_LEN];
	struct diag_place at;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);

		if (!h->dhcp && !net_contains(h->address, r->boot_server) &&
		    others++ == 0)
			first = i;
	}
	if (others == 0)
		return;
	at = host_place(rack_host_at(r, first), HOST_ADDRESS);
	diag_add_at(d, &at,
		    "host '%s'%s outside the boot server's network %s: a DHCP relay is "
		    "needed there",
		    rack_host_at(r, first)->name, others > 1 ? " and others are" : " is",
		    net_format_cidr(r->network, net));
	diag_host(d, rack_host_at(r, first)->name);
}

static void warn_boot_server(const struct rack *r, struct diag *d)
{
	const struct diag_place at = whole_file(r);
	char addr[NET_ADDR_LEN];

	if (net_contains(r->network, r->boot_server))
		warn_relay(r, d);
	else
		diag_add_at(d, &at,
			    "boot_server %s is outside every host's network: a DHCP "
			    "relay is needed",
			    net_format_addr(r->boot_server, addr));
}

void rack_warn_value(const struct rack *r, size_t i, enum host_key_id id, struct diag *d,
		     const char *fmt, ...)
{
	const struct host *h = rack_host_at(r, i);
	const struct diag_place at = host_place(h, id);
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	rack_complain_host(h, &at, d, "%s: %s", host_key(id)->name, msg);
}

/* --- addresses -------------------------------------------------------------------- */

/* Warns about addresses of a list that a host without a gateway does not reach. */
static void warn_unreachable(const struct rack *r, size_t i, enum host_key_id id,
			     char *const *v, struct diag *d)
{
	const struct host *h = rack_host_at(r, i);
	uint32_t addr;

	for (size_t k = 0; v && v[k]; k++)
		if (net_parse_addr(v[k], &addr) == 0 && !net_contains(h->address, addr))
			rack_warn_value(r, i, id, d,
					"%s is outside the host's network, and the host "
					"has no gateway",
					v[k]);
}

/* Warns about what a host with a fixed address and without a gateway does not reach. */
static void warn_no_gateway(const struct rack *r, size_t i, struct diag *d)
{
	const struct host *h = rack_host_at(r, i);
	char server[NET_ADDR_LEN], own[NET_CIDR_LEN];

	if (h->gateway)
		return;
	warn_unreachable(r, i, HOST_DNS, h->dns, d);
	warn_unreachable(r, i, HOST_NTP, h->ntp, d);
	if (!net_contains(h->address, r->boot_server))
		rack_warn_value(r, i, HOST_ADDRESS, d,
				"%s does not reach the boot server %s: the host has no "
				"gateway, and its report will not arrive",
				net_format_cidr(h->address, own),
				net_format_addr(r->boot_server, server));
}

/* Warns about the names of time servers that nobody can look up. */
static void warn_names(const struct rack *r, size_t i, struct diag *d)
{
	const struct host *h = rack_host_at(r, i);
	uint32_t addr;

	for (size_t k = 0; strv_len(h->dns) == 0 && h->ntp && h->ntp[k]; k++)
		if (net_parse_addr(h->ntp[k], &addr) < 0)
			rack_warn_value(r, i, HOST_NTP, d,
					"'%s' is a name, but the host has no dns to look "
					"it up",
					h->ntp[k]);
}

/* Warns about an address with another prefix than the network it is in. */
static void warn_prefix(const struct rack *r, size_t i, struct diag *d)
{
	const struct host *h = rack_host_at(r, i);
	const struct cidr nodes = h->node_network;
	char own[NET_CIDR_LEN], net[NET_CIDR_LEN], place[512];
	const struct diag_place there = host_place(h, HOST_NODE_NETWORK);

	if (!nodes.prefix || h->address.prefix == nodes.prefix ||
	    !net_contains(nodes, h->address.addr))
		return;
	rack_warn_value(r, i, HOST_ADDRESS, d,
			"%s has another prefix than node_network %s (%s): leave it out",
			net_format_cidr(h->address, own), net_format_cidr(nodes, net),
			there.line ? other_place(there.file, there.line,
						 h->origin[HOST_ADDRESS].file, place,
						 sizeof(place))
				   : there.file);
	diag_other(d, &there);
}

static bool forwards(const struct host *h)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (h->features & FEATURE_BIT(i) && features[i]->forwards)
			return true;
	return false;
}

/* Warns when a value of a host is the address of another one, which does not do what is
 * expected of it by itself. */
static void warn_other_host(const struct rack *r, size_t i, enum host_key_id id,
			    uint32_t addr, struct owners *addresses, const char *why,
			    struct diag *d)
{
	char text[NET_ADDR_LEN], place[512];
	const size_t other = owner(addresses, net_format_addr(addr, text), NO_HOST);
	const struct host *o;
	struct diag_place there;

	if (other == NO_HOST || (id == HOST_GATEWAY && forwards(rack_host_at(r, other))))
		return;
	o = rack_host_at(r, other);
	there = host_place(o, HOST_ADDRESS);
	rack_warn_value(r, i, id, d, "%s is host '%s' (%s), %s", text, o->name,
			other_place(there.file, there.line,
				    rack_host_at(r, i)->origin[id].file, place,
				    sizeof(place)),
			why);
	diag_other(d, &there);
}

static void warn_servers(const struct rack *r, struct diag *d)
{
	_cleanup_owners_ struct owners addresses = {.host = NULL};
	char text[NET_ADDR_LEN];
	uint32_t addr;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (host_has_fixed_address(rack_host_at(r, i)))
			owner(&addresses,
			      net_format_addr(rack_host_at(r, i)->address.addr, text), i);
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);

		if (!host_has_fixed_address(h))
			continue;
		warn_prefix(r, i, d);
		warn_no_gateway(r, i, d);
		warn_names(r, i, d);
		if (h->gateway && !r->any_roles)
			warn_other_host(r, i, HOST_GATEWAY, h->gateway, &addresses,
					"which forwards no packets", d);
		for (size_t k = 0; h->dns && h->dns[k]; k++)
			if (net_parse_addr(h->dns[k], &addr) == 0)
				warn_other_host(r, i, HOST_DNS, addr, &addresses,
						"which must answer for names itself", d);
	}
}

/* Warns about MAC addresses that a machine hardly has: those of examples. */
static void warn_macs(const struct rack *r, struct diag *d)
{
	static const uint8_t documentation[] = {0x00, 0x00, 0x5e, 0x00, 0x53};
	static const struct mac examples[] = {
		{{0x00, 0x11, 0x22, 0x33, 0x44, 0x55}},
		{{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc}},
		{{0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}},
	};
	char text[NET_MAC_LEN];

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct mac *m = &rack_host_at(r, i)->mac;
		bool is_example = false;

		for (size_t k = 0; k < ARRAY_SIZE(examples); k++)
			is_example |= memcmp(m, &examples[k], sizeof(*m)) == 0;
		net_format_mac(*m, ':', text);
		if (memcmp(m->b, documentation, sizeof(documentation)) == 0)
			rack_warn_value(r, i, HOST_MAC, d,
					"%s is of a range for documentation (RFC 7042), "
					"no machine has it",
					text);
		else if (is_example)
			rack_warn_value(r, i, HOST_MAC, d,
					"%s looks like that of an example: is it the "
					"machine's?",
					text);
	}
}

/* Warns about names of digits, which programs read as an address: "10" is 0.0.0.10. */
static void warn_hostnames(const struct rack *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_hosts; i++) {
		const char *name = rack_host_at(r, i)->name;

		if (name[strspn(name, "0123456789")] == '\0')
			rack_warn_value(r, i, HOST_NAME, d,
					"is a number, which programs read as an address: "
					"begin it with a letter");
	}
}

/* --- all warnings ----------------------------------------------------------------- */

void rack_warnings(const struct rack *r, struct diag *d)
{
	rack_warn_secrets(r, d);
	warn_boot_server(r, d);
	rack_warn_keys(r, d);
	warn_servers(r, d);
	warn_macs(r, d);
	warn_hostnames(r, d);
	for (size_t i = 0; feature_racks[i]; i++)
		if (feature_racks[i]->warn)
			feature_racks[i]->warn(r, d);
	rack_fold(d);
}

void rack_warn(const struct rack *r)
{
	_cleanup_diag_ struct diag d = {0};

	rack_warnings(r, &d);
	log_diag(LOG_LEVEL_WARN, &d);
}

void rack_warn_keys(const struct rack *r, struct diag *d)
{
	size_t without = 0, first = 0;
	struct diag_place at = whole_file(r);

	for (size_t i = 0; i < r->n_hosts; i++)
		if (strv_len(r->hosts[i].host.ssh_keys) == 0 && without++ == 0)
			first = i;
	if (without == 0)
		return;
	if (without == r->n_hosts) {
		diag_add_at(d, &at,
			    "no host has ssh_keys: nobody will be able to log in");
		return;
	}
	at = rack_host_place(&r->hosts[first]);
	diag_add_at(d, &at,
		    "host '%s'%s no ssh_keys: nobody will be able to log in there",
		    r->hosts[first].host.name, without > 1 ? " and others have" : " has");
	diag_host(d, r->hosts[first].host.name);
}
