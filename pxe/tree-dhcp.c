/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders parts that the configurations of all DHCP servers have. Hosts usually have the
 * same gateway, name servers and time servers: those are then written once for all hosts.
 * DHCP is only used until the kernel runs; the booted host takes its address from
 * host.cfg.
 *
 * Limit: DHCP options hold IPv4 addresses, so a time server given by name is only used by
 * the booted host.
 */
#include "pxe/tree-parts.h"

struct cidr tree_host_network(const struct host *h)
{
	struct cidr net = h->node_network.prefix ? h->node_network : h->address;

	net.addr = net_network(net);
	return net;
}

void tree_add_networks(const struct tree_plan *p, struct intern *in, const char *before,
		       const char *after)
{
	for (size_t i = 0; i <= p->rack->n_hosts; i++) {
		struct cidr net = i ? tree_host_network(&p->rack->hosts[i - 1].host)
				    : p->rack->network;
		char text[NET_CIDR_LEN];
		_cleanup_free_ char *line = NULL;

		if (!net.prefix)
			continue;
		line = xasprintf("%s%s%s", before, net_format_cidr(net, text), after);
		intern(in, line, NULL);
	}
}

/* --- options ---------------------------------------------------------------------- */

static void add_literals(struct buf *b, const char *option, char *const *v)
{
	bool first = true;

	for (size_t i = 0; v && v[i]; i++) {
		uint32_t addr;

		if (net_parse_addr(v[i], &addr) < 0)
			continue;
		buf_printf(b, "%s,%s", first ? option : "", v[i]);
		first = false;
	}
	if (!first)
		buf_puts(b, "\n");
}

static char *host_options(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};
	char gw[NET_ADDR_LEN];

	if (h->gateway)
		buf_printf(&b, TREE_DHCP_ROUTER ",%s\n", net_format_addr(h->gateway, gw));
	else
		buf_puts(&b, TREE_DHCP_ROUTER "\n");
	add_literals(&b, TREE_DHCP_DNS, h->dns);
	add_literals(&b, TREE_DHCP_NTP, h->ntp);
	return buf_take(&b);
}

void tree_dhcp_sets(const struct tree_plan *p, struct tree_dhcp_sets *ret)
{
	*ret = (struct tree_dhcp_sets){
		.of_host = xcalloc(p->rack->n_hosts + 1, sizeof(*ret->of_host))};
	for (size_t i = 0; i < p->rack->n_hosts; i++) {
		_cleanup_free_ char *text = host_options(&p->rack->hosts[i].host);

		ret->of_host[i] = intern(&ret->texts, text, NULL);
	}
}

void tree_dhcp_sets_done(struct tree_dhcp_sets *s)
{
	intern_done(&s->texts);
	free(s->of_host);
}
