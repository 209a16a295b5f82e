/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of all hosts has a default only for hosts with this feature: other hosts
 * need none.
 */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/host-value.h"

#define AT(m) offsetof(struct host, f.pods.m)

static const struct host_key keys[] = {
	{.id = HOST_POD_NETWORK,
	 .name = "pod_network",
	 .type = HOST_T_NETWORK,
	 .offset = AT(network),
	 .always = true,
	 .level = HOST_LEVEL_CLUSTER,
	 .summary = "the network of all pods"},
};

static void init(struct host *h)
{
	h->f.pods.network = (struct cidr){.addr = 0xc0a80000, .prefix = 16};
	host_set_origin(h, HOST_POD_NETWORK, "default", 0); /* 192.168.0.0/16 */
	h->node_network = (struct cidr){.addr = 0xac190000, .prefix = 24};
	host_set_origin(h, HOST_NODE_NETWORK, "default", 0); /* 172.25.0.0/24 */
}

static void drop(struct host *h)
{
	if (!h->set[HOST_NODE_NETWORK])
		host_clear(h, HOST_NODE_NETWORK);
}

static void check(struct check *c)
{
	const struct host *h = c->h;
	char a[NET_CIDR_LEN];

	check_network_apart(c, HOST_NODE_NETWORK, h->node_network, HOST_POD_NETWORK,
			    h->f.pods.network);
	if (!check_have(c, HOST_POD_NETWORK))
		return;
	check_network(c, HOST_POD_NETWORK, h->f.pods.network);
	if (h->f.pods.network.prefix > 24)
		check_complain(c, HOST_POD_NETWORK, "%s has no room for a host's /24",
			       net_format_cidr(h->f.pods.network, a));
}

const struct feature feature_pods = {
	.id = FEATURE_PODS,
	.name = "pods",
	.summary = "a network for the containers of all hosts",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.forwards = true,
	.init = init,
	.drop = drop,
	.check = check,
};
