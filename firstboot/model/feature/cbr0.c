/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge is inside the pod network and apart from all other networks. */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"

#define AT(m) offsetof(struct host, f.cbr0.m)

static const struct host_key keys[] = {
	{.id = HOST_CBR0,
	 .name = "cbr0",
	 .type = HOST_T_CIDR,
	 .offset = AT(address),
	 .always = true,
	 .level = HOST_LEVEL_HOST,
	 .summary = "the pod bridge's address with its prefix"},
	{.id = HOST_CBR0_MTU,
	 .name = "cbr0_mtu",
	 .type = HOST_T_U32,
	 .offset = AT(mtu),
	 .summary = "the pod bridge's MTU; 0: unchanged"},
};

static void check_place(struct check *c)
{
	const struct host *h = c->h;
	struct cidr cbr0 = h->f.cbr0.address, pods = h->f.pods.network;
	char a[NET_CIDR_LEN], b[NET_CIDR_LEN], where[512];

	net_format_cidr(cbr0, a);
	if (check_have(c, HOST_POD_NETWORK) && !net_inside(cbr0, pods)) {
		check_complain(c, HOST_CBR0, "%s is not inside pod_network %s (%s)", a,
			       net_format_cidr(pods, b),
			       host_where(h, HOST_POD_NETWORK, where, sizeof(where)));
		check_other(c, HOST_POD_NETWORK);
	}
	check_network_apart(c, HOST_CBR0, cbr0, HOST_NODE_NETWORK, h->node_network);
	check_network_apart(c, HOST_CBR0, cbr0, HOST_SERVICE_NETWORK,
			    h->f.kubernetes.service_network);
	if (check_have(c, HOST_ADDRESS) && net_overlap(cbr0, h->address))
		check_complain(c, HOST_CBR0, "%s overlaps the host's address %s", a,
			       net_format_cidr(h->address, b));
}

static void check_bridge(struct check *c)
{
	struct cidr cbr0 = c->h->f.cbr0.address;
	char a[NET_CIDR_LEN];

	if (c->h->bad[HOST_CBR0])
		return;
	if (!cbr0.prefix) {
		if (c->role)
			check_missing(c, HOST_CBR0,
				      "give the address of its pod bridge, like "
				      "\"192.168.1.1/24\"");
		return;
	}
	net_format_cidr(cbr0, a);
	if (cbr0.prefix != 24)
		check_complain(c, HOST_CBR0, "%s must have the prefix /24", a);
	else if (!net_is_host(cbr0))
		check_complain(c, HOST_CBR0, "%s is the network or broadcast address", a);
	check_place(c);
}

static void check(struct check *c)
{
	const struct host *h = c->h;
	uint32_t mtu = h->f.cbr0.mtu;

	if (c->role && check_have(c, HOST_ADDRESS) && !h->gateway &&
	    !h->bad[HOST_GATEWAY])
		check_missing(c, HOST_GATEWAY,
			      "kube-proxy and Calico's plugin do not start without a "
			      "default route");
	check_bridge(c);
	check_mtu(c, HOST_CBR0_MTU, mtu);
	if (check_have(c, HOST_MTU) && check_have(c, HOST_CBR0_MTU) && h->mtu &&
	    mtu > h->mtu)
		check_complain(c, HOST_CBR0_MTU, "%u is more than the uplink's %u", mtu,
			       h->mtu);
}

const struct feature feature_cbr0 = {
	.id = FEATURE_CBR0,
	.name = "cbr0",
	.summary = "a bridge with a part of the pod network",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.includes = FEATURE_BIT(FEATURE_PODS),
	.link = "cbr0",
	.needs_address = true,
	.role_flag = "cbr0",
	.flag_features = FEATURE_BIT(FEATURE_KUBERNETES) | FEATURE_BIT(FEATURE_NAT) |
			 FEATURE_BIT(FEATURE_CALICO),
	.shown = HOST_CBR0,
	.column = "CBR0",
	.check = check,
};
