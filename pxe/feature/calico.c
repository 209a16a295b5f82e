/* SPDX-License-Identifier: Apache-2.0 */
/* Finds BGP peers of a host that are hosts of the rack, which the mesh includes, and a
 * mesh that is too large. */
#include "firstboot/model/feature/bgp.h"
#include "pxe/feature.h"
#include "pxe/owners.h"
#include "pxe/rack-check.h"

#define MESH_MAX 100 /* hosts, which Calico's documentation gives as a limit */

/* host_check() reports a host that is its own peer. */
static int check_peer(const struct rack *r, size_t i, struct owners *addresses,
		      struct diag *d)
{
	const struct host *h = &r->hosts[i].host;
	char text[NET_ADDR_LEN], what[64];
	struct bgp_peer p;
	int ret = 0;

	if (!h->f.calico.mesh || h->bad[HOST_BGP_MESH] || h->bad[HOST_BGP_NODE_PEERS])
		return 0;
	for (size_t k = 0; h->f.calico.node_peers && h->f.calico.node_peers[k]; k++) {
		size_t other;

		if (bgp_peer_parse(h->f.calico.node_peers[k], &p) < 0)
			continue;
		net_format_addr(p.addr, text);
		other = owner(addresses, text, NO_HOST);
		snprintf(what, sizeof(what), "bgp_node_peers: %s is", text);
		if (other != NO_HOST && other != i)
			ret = rack_complain(r, i, HOST_BGP_NODE_PEERS, what, other,
					    HOST_NAME, ", already a peer by bgp_mesh", d);
	}
	return ret;
}

static int check(const struct loader *l)
{
	const struct rack *r = l->rack;
	_cleanup_owners_ struct owners addresses = {.host = NULL};
	char text[NET_ADDR_LEN];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);

		if (host_has_fixed_address(h))
			owner(&addresses, net_format_addr(h->address.addr, text), i);
	}
	for (size_t i = 0; i < r->n_hosts; i++)
		if (check_peer(r, i, &addresses, l->d) < 0)
			ret = -1;
	return ret;
}

/* Returns whether the host exchanges routes with all others. */
static bool in_mesh(const struct host *h)
{
	return h->features & FEATURE_BIT(FEATURE_CALICO) && h->f.calico.mesh;
}

/* Warns about a mesh that is too large: every host has a session with every other. */
static void warn(const struct rack *r, struct diag *d)
{
	struct diag_place at = {.file = r->file};
	size_t n = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);

		if (!in_mesh(h))
			continue;
		if (n++ == 0 && h->set[HOST_BGP_MESH])
			at = host_place(h, HOST_BGP_MESH);
	}
	if (n > MESH_MAX)
		diag_add_at(d, &at,
			    "bgp_mesh: %zu hosts exchange routes with each other, each "
			    "with %zu: for more than about %d, give them route "
			    "reflectors as bgp_peers and set bgp_mesh = false",
			    n, n - 1, MESH_MAX);
}

const struct feature_rack rack_calico = {
	.id = FEATURE_CALICO,
	.check = check,
	.warn = warn,
};
