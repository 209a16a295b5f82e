/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks hosts' bonds and BGP peers against the other hosts. MAC and IP addresses are
 * texts in a table with the first host that has each, so the cost grows with the number
 * of addresses only.
 */
#include "firstboot/model/bgp.h"
#include "lib/intern.h"
#include "pxe/rack-check.h"

#define NO_HOST SIZE_MAX

struct owners {
	struct intern seen;
	size_t *host; /* by the text's number */
};

/* Returns the first host that had this text, which is `i` if the text is new. */
static size_t owner(struct owners *o, const char *text, size_t i)
{
	bool is_new = false;
	size_t n = intern(&o->seen, text, &is_new);

	if (is_new) {
		o->host = xgrow(o->host, n, sizeof(*o->host));
		o->host[n] = i;
	}
	return o->host[n];
}

static void owners_done(struct owners *o)
{
	intern_done(&o->seen);
	free(o->host);
}
#define _cleanup_owners_ _cleanup_(owners_done)

static int complain(const struct rack *r, size_t i, enum host_key_id id, const char *what,
		    size_t other, const char *why, struct diag *d)
{
	const struct host *h = &r->hosts[i].host, *o = &r->hosts[other].host;
	char where[512];

	return diag_add(d, "%s: host '%s': %s: %s host '%s' (line %u)%s",
			host_where(h, id, where, sizeof(where)), h->name ? h->name : "?",
			host_keys[id].name, what, o->name ? o->name : "?",
			r->hosts[other].line, why);
}

/* --- bonds -------------------------------------------------------------------------- */

static int check_bond(const struct rack *r, size_t i, struct owners *macs, struct diag *d)
{
	const struct host *h = &r->hosts[i].host;
	char text[NET_MAC_LEN], what[64];
	struct mac mac;
	int ret = 0;

	for (size_t k = 0; !h->bad[HOST_BOND] && h->bond && h->bond[k]; k++) {
		size_t other;

		if (net_parse_mac(h->bond[k], &mac) < 0)
			continue;
		net_format_mac(mac, ':', text);
		other = owner(macs, text, i);
		snprintf(what, sizeof(what), "%s is also", text);
		if (other != i)
			ret = complain(r, i, HOST_BOND, what, other, "", d);
	}
	return ret;
}

static int check_bonds(const struct rack *r, struct diag *d)
{
	_cleanup_owners_ struct owners macs = {.host = NULL};
	char text[NET_MAC_LEN];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (r->hosts[i].host.has_mac && !r->hosts[i].host.bad[HOST_MAC])
			owner(&macs, net_format_mac(r->hosts[i].host.mac, ':', text), i);
	for (size_t i = 0; i < r->n_hosts; i++)
		if (check_bond(r, i, &macs, d) < 0)
			ret = -1;
	return ret;
}

/* --- peers -------------------------------------------------------------------------- */

/* host_check() reports a host that is its own peer. */
static int check_peer(const struct rack *r, size_t i, struct owners *addresses,
		      struct diag *d)
{
	const struct host *h = &r->hosts[i].host;
	char text[NET_ADDR_LEN], what[64];
	struct bgp_peer p;
	int ret = 0;

	if (!h->bgp_mesh || h->bad[HOST_BGP_MESH] || h->bad[HOST_BGP_NODE_PEERS])
		return 0;
	for (size_t k = 0; h->bgp_node_peers && h->bgp_node_peers[k]; k++) {
		size_t other;

		if (bgp_peer_parse(h->bgp_node_peers[k], &p) < 0)
			continue;
		net_format_addr(p.addr, text);
		other = owner(addresses, text, NO_HOST);
		snprintf(what, sizeof(what), "%s is", text);
		if (other != NO_HOST && other != i)
			ret = complain(r, i, HOST_BGP_NODE_PEERS, what, other,
				       ", already a peer by bgp_mesh", d);
	}
	return ret;
}

static int check_peers(const struct rack *r, struct diag *d)
{
	_cleanup_owners_ struct owners addresses = {.host = NULL};
	char text[NET_ADDR_LEN];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = &r->hosts[i].host;

		if (!h->dhcp && h->address.prefix && !h->bad[HOST_ADDRESS])
			owner(&addresses, net_format_addr(h->address.addr, text), i);
	}
	for (size_t i = 0; i < r->n_hosts; i++)
		if (check_peer(r, i, &addresses, d) < 0)
			ret = -1;
	return ret;
}

int rack_check_network(const struct rack *r, struct diag *d)
{
	int bonds = check_bonds(r, d), peers = check_peers(r, d);

	return bonds < 0 || peers < 0 ? -1 : 0;
}
