/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of pools and BGP peers. BIRD announces only networks inside the pools to its
 * peers (calico/node 0.4.8, bird.cfg.template), so that no other host could reach the
 * pods of a cbr0 outside all pools.
 */
#include "firstboot/model/feature.h"
#include "firstboot/model/feature/bgp.h"
#include "firstboot/model/host-check-parts.h"

#define AT(m) offsetof(struct host, f.calico.m)

static const struct host_key keys[] = {
	{.id = HOST_POOLS,
	 .name = "pools",
	 .type = HOST_T_STRV,
	 .offset = AT(pools),
	 .level = HOST_LEVEL_CLUSTER,
	 .summary = "Calico's address pools"},
	{.id = HOST_BGP_AS,
	 .name = "bgp_as",
	 .type = HOST_T_AS,
	 .offset = AT(as),
	 .level = HOST_LEVEL_CLUSTER,
	 .summary = "the AS number of the hosts"},
	{.id = HOST_BGP_MESH,
	 .name = "bgp_mesh",
	 .type = HOST_T_BOOL,
	 .offset = AT(mesh),
	 .level = HOST_LEVEL_CLUSTER,
	 .summary = "every host exchanges routes with every other"},
	{.id = HOST_BGP_PEERS,
	 .name = "bgp_peers",
	 .type = HOST_T_STRV,
	 .offset = AT(peers),
	 .level = HOST_LEVEL_CLUSTER,
	 .summary = "routers that every host exchanges routes with"},
	{.id = HOST_BGP_NODE_PEERS,
	 .name = "bgp_node_peers",
	 .type = HOST_T_STRV,
	 .offset = AT(node_peers),
	 .level = HOST_LEVEL_HOST,
	 .summary = "routers that only this host exchanges routes with"},
};

static void init(struct host *h)
{
	h->f.calico.mesh = true;
	host_set_origin(h, HOST_BGP_MESH, "default", 0);
}

static void derive(struct host *h, const struct role *role _unused_)
{
	struct calico *c = &h->f.calico;
	char net[NET_CIDR_LEN];

	if (h->set[HOST_POOLS])
		return;
	strv_free(c->pools);
	c->pools = NULL;
	strv_add(&c->pools, net_format_cidr(h->f.pods.network, net));
	host_set_origin(h, HOST_POOLS, "from pod_network", 0);
}

/* --- pools -------------------------------------------------------------------------- */

/* Reads pool `i` of the list. Returns false when it is malformed. */
static bool pool_at(const struct check *c, size_t i, struct bgp_pool *ret)
{
	return bgp_pool_parse(c->h->f.calico.pools[i], ret) == 0;
}

static void check_pool(struct check *c, size_t i, const struct bgp_pool *p)
{
	char a[NET_CIDR_LEN], b[NET_CIDR_LEN], where[512];
	const struct host *h = c->h;
	struct bgp_pool other;

	net_format_cidr(p->net, a);
	check_network(c, HOST_POOLS, p->net);
	if (check_have(c, HOST_POD_NETWORK) && !net_inside(p->net, h->f.pods.network)) {
		check_complain(c, HOST_POOLS, "%s is not inside pod_network %s (%s)", a,
			       net_format_cidr(h->f.pods.network, b),
			       host_where(h, HOST_POD_NETWORK, where, sizeof(where)));
		check_other(c, HOST_POD_NETWORK);
	}
	for (size_t k = 0; k < i; k++)
		if (pool_at(c, k, &other) && net_overlap(p->net, other.net))
			check_complain(c, HOST_POOLS, "%s overlaps %s", a,
				       net_format_cidr(other.net, b));
}

static void check_pools(struct check *c)
{
	const struct host *h = c->h;
	bool covered = false, all_read = true; /* cbr0 is in a pool */
	char a[NET_CIDR_LEN];

	if (h->bad[HOST_POOLS] || !h->set[HOST_POOLS])
		return;
	if (strv_len(h->f.calico.pools) == 0) {
		check_complain(
			c, HOST_POOLS,
			"at least one is required: Calico does not start without a "
			"pool");
		return;
	}
	check_words(c, HOST_POOLS, h->f.calico.pools, 0, bgp_pool_wrong);
	for (size_t i = 0; h->f.calico.pools[i]; i++) {
		struct bgp_pool p;

		if (!pool_at(c, i, &p)) {
			all_read = false;
			continue;
		}
		check_pool(c, i, &p);
		covered = covered || net_inside(h->f.cbr0.address, p.net);
	}
	if (check_have(c, HOST_CBR0) && all_read && !covered)
		check_complain(c, HOST_CBR0,
			       "%s is in none of the pools: no other host would have a "
			       "route to its pods",
			       net_format_cidr(h->f.cbr0.address, a));
}

/* --- peers -------------------------------------------------------------------------- */

/* Returns true when one of the first `n` peers has this address. */
static bool is_peer(char *const *v, size_t n, uint32_t addr)
{
	struct bgp_peer p;

	for (size_t i = 0; v && v[i] && i < n; i++)
		if (bgp_peer_parse(v[i], &p) == 0 && p.addr == addr)
			return true;
	return false;
}

static void check_peer(struct check *c, enum host_key_id id, uint32_t addr)
{
	const struct host *h = c->h;
	char a[NET_ADDR_LEN];

	net_format_addr(addr, a);
	if (!net_is_machine(addr))
		check_complain(c, id, "%s cannot be a machine's address", a);
	else if (check_have(c, HOST_ADDRESS) && addr == h->address.addr)
		check_complain(c, id, "%s is this host's own address", a);
	else if (check_have(c, HOST_POD_NETWORK) && net_contains(h->f.pods.network, addr))
		check_complain(c, id, "%s is inside pod_network", a);
	else if (check_have(c, HOST_SERVICE_NETWORK) &&
		 net_contains(h->f.kubernetes.service_network, addr))
		check_complain(c, id, "%s is inside service_network", a);
}

static void check_peers(struct check *c, enum host_key_id id, char *const *v)
{
	const struct host *h = c->h;
	char a[NET_ADDR_LEN];
	struct bgp_peer p;

	check_words(c, id, v, 0, bgp_peer_wrong);
	for (size_t i = 0; !h->bad[id] && v && v[i]; i++) {
		if (bgp_peer_parse(v[i], &p) < 0)
			continue;
		check_peer(c, id, p.addr);
		net_format_addr(p.addr, a);
		if (is_peer(v, i, p.addr))
			check_complain(c, id, "%s is listed twice", a);
		else if (id == HOST_BGP_NODE_PEERS &&
			 is_peer(h->f.calico.peers, SIZE_MAX, p.addr))
			check_complain(c, id, "%s is listed in bgp_peers already", a);
	}
}

/* Complains when the host has neither the mesh nor a peer. */
static void check_without_mesh(struct check *c)
{
	const struct host *h = c->h;

	if (h->f.calico.mesh || h->bad[HOST_BGP_MESH] || h->bad[HOST_BGP_PEERS] ||
	    h->bad[HOST_BGP_NODE_PEERS] || !c->role)
		return;
	if (strv_len(h->f.calico.peers) == 0 && strv_len(h->f.calico.node_peers) == 0)
		check_complain(c, HOST_BGP_MESH,
			       "without the mesh this host needs bgp_peers or "
			       "bgp_node_peers to exchange routes with");
}

static void check(struct check *c)
{
	const struct host *h = c->h;

	check_pools(c);
	if (bgp_as_is_reserved(h->f.calico.as) && !h->bad[HOST_BGP_AS])
		check_complain(c, HOST_BGP_AS, "%u is a reserved AS number",
			       h->f.calico.as);
	check_peers(c, HOST_BGP_PEERS, h->f.calico.peers);
	check_peers(c, HOST_BGP_NODE_PEERS, h->f.calico.node_peers);
	check_without_mesh(c);
}

const struct feature feature_calico = {
	.id = FEATURE_CALICO,
	.name = "calico",
	.summary = "routes between the pods of all hosts by Calico",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.includes =
		FEATURE_BIT(FEATURE_PODS) | FEATURE_BIT(FEATURE_KUBERNETES), /* etcd */
	.needs_address = true,
	.heals = true,
	.init = init,
	.derive = derive,
	.check = check,
};
