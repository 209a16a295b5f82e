/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts that the configurations of several servers have in common.
 */
#include "lib/intern.h"
#include "pxe/tree-parts.h"

/* Returns the host's network; prefix 0: it is not known, its address is from DHCP. */
static struct cidr host_network(const struct host *h)
{
	struct cidr net = h->node_network.prefix ? h->node_network : h->address;

	net.addr = net_network(net);
	return net;
}

void tree_add_networks(const struct tree_plan *p, struct intern *in, const char *before,
		       const char *after)
{
	for (size_t i = 0; i <= p->rack->n_hosts; i++) {
		struct cidr net =
			i ? host_network(&p->rack->hosts[i - 1].host) : p->rack->network;
		char text[NET_CIDR_LEN];
		_cleanup_free_ char *line = NULL;

		if (!net.prefix)
			continue;
		line = xasprintf("%s%s%s", before, net_format_cidr(net, text), after);
		intern(in, line, NULL);
	}
}
