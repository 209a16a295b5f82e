/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two features: every host of the cluster knows its master and etcd; the master is the
 * host whose own address `master` is.
 */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"

#define AT(m)     offsetof(struct host, f.kubernetes.m)
#define ETCD_PORT 4001
#define DNS_HOST  10 /* of the service network */

static const struct host_key keys[] = {
	{.id = HOST_MASTER,
	 .name = "master",
	 .type = HOST_T_ADDR,
	 .offset = AT(master),
	 .names_host = true,
	 .always = true,
	 .summary = "the master's address"},
	{.id = HOST_ETCD,
	 .name = "etcd",
	 .type = HOST_T_HOSTPORT,
	 .offset = AT(etcd),
	 .always = true,
	 .summary = "the address and port of etcd"},
	{.id = HOST_SERVICE_NETWORK,
	 .name = "service_network",
	 .type = HOST_T_NETWORK,
	 .offset = AT(service_network),
	 .always = true,
	 .level = HOST_LEVEL_CLUSTER,
	 .summary = "the range of service addresses"},
};

/* Returns the usual address of a cluster's DNS: the tenth of the service network, or the
 * last of a smaller one. */
static uint32_t kubernetes_dns(const struct kubernetes *k)
{
	uint32_t last = ~net_mask(k->service_network.prefix);

	return net_network(k->service_network) + (last < DNS_HOST ? last : DNS_HOST);
}

static const struct template_key values[] = {
	{.name = "host.cluster_dns", .kind = TEMPLATE_TEXT, .sample = "10.100.0.10"},
	{.name = NULL},
};

static void fill(struct template_values *v, const struct host *h)
{
	char addr[NET_ADDR_LEN];

	template_values_text(v, "host.cluster_dns",
			     net_format_addr(kubernetes_dns(&h->f.kubernetes), addr));
}

static void init(struct host *h)
{
	h->f.kubernetes.service_network = (struct cidr){.addr = 0x0a640000, .prefix = 16};
	host_set_origin(h, HOST_SERVICE_NETWORK, "default", 0); /* 10.100.0.0/16 */
}

static void derive(struct host *h, const struct role *role)
{
	struct kubernetes *k = &h->f.kubernetes;

	if (role && role_has(role, FEATURE_KUBERNETES_MASTER) && !h->set[HOST_MASTER] &&
	    !h->dhcp && h->address.prefix && !h->bad[HOST_ADDRESS]) {
		k->master = h->address.addr;
		host_set_origin(h, HOST_MASTER, "from address", 0);
	}
	if (!h->set[HOST_ETCD] && k->master && !h->bad[HOST_MASTER]) {
		k->etcd = (struct hostport){.addr = k->master, .port = ETCD_PORT};
		host_set_origin(h, HOST_ETCD, "from master", 0);
	}
}

/* Complains about a machine's address inside a network of pods or services. */
static void check_outside(struct check *c, enum host_key_id id, uint32_t addr)
{
	const struct host *h = c->h;
	char a[NET_ADDR_LEN];

	net_format_addr(addr, a);
	if (check_have(c, HOST_POD_NETWORK) && net_contains(h->f.pods.network, addr))
		check_complain(c, id, "%s is inside pod_network", a);
	if (check_have(c, HOST_SERVICE_NETWORK) &&
	    net_contains(h->f.kubernetes.service_network, addr))
		check_complain(c, id, "%s is inside service_network", a);
}

static void check_master(struct check *c)
{
	const struct host *h = c->h;
	uint32_t master = h->f.kubernetes.master;
	char m[NET_ADDR_LEN], a[NET_ADDR_LEN];
	bool is_master;

	if (h->bad[HOST_MASTER])
		return;
	if (!master) {
		if (c->role && check_have(c, HOST_ADDRESS))
			check_missing(c, HOST_MASTER,
				      "give the master's address, like \"172.25.0.10\"");
		return;
	}
	net_format_addr(master, m);
	if (!net_is_machine(master)) {
		check_complain(c, HOST_MASTER, "%s cannot be a machine's address", m);
		return;
	}
	check_outside(c, HOST_MASTER, master);
	if (!c->role || !check_have(c, HOST_ADDRESS))
		return;
	is_master = role_has(c->role, FEATURE_KUBERNETES_MASTER);
	if (is_master && master != h->address.addr)
		check_complain(c, HOST_MASTER,
			       "%s is not this host's address %s, but its role is '%s'",
			       m, net_format_addr(h->address.addr, a), c->role->name);
	if (!is_master && master == h->address.addr)
		check_complain(c, HOST_MASTER,
			       "%s is this host's own address, but its role is '%s'", m,
			       c->role->name);
}

static bool has_etcd(const struct role *r)
{
	for (size_t i = 0; r->units && r->units[i]; i++)
		if (str_after(r->units[i], "etcd"))
			return true;
	return false;
}

static void check_etcd(struct check *c)
{
	const struct host *h = c->h;
	uint32_t addr = h->f.kubernetes.etcd.addr;
	bool self = addr >> 24 == 127;
	char a[NET_ADDR_LEN];

	if (!h->set[HOST_ETCD] || h->bad[HOST_ETCD])
		return;
	net_format_addr(addr, a);
	if (!net_is_machine(addr) && !self)
		check_complain(c, HOST_ETCD, "%s cannot be a machine's address", a);
	else if (self && c->role && !has_etcd(c->role))
		check_complain(c, HOST_ETCD,
			       "%s is this host itself, but its role '%s' runs no etcd",
			       a, c->role->name);
	else
		check_outside(c, HOST_ETCD, addr);
}

static void check(struct check *c)
{
	struct cidr services = c->h->f.kubernetes.service_network;

	if (check_have(c, HOST_SERVICE_NETWORK))
		check_network(c, HOST_SERVICE_NETWORK, services);
	check_network_apart(c, HOST_SERVICE_NETWORK, services, HOST_POD_NETWORK,
			    c->h->f.pods.network);
	check_network_apart(c, HOST_SERVICE_NETWORK, services, HOST_NODE_NETWORK,
			    c->h->node_network);
	check_master(c);
	check_etcd(c);
}

const struct feature feature_kubernetes = {
	.id = FEATURE_KUBERNETES,
	.name = "kubernetes",
	.summary = "the host is of a cluster with a master",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.needs_address = true,
	.heals = true,
	.shown = HOST_MASTER,
	.init = init,
	.derive = derive,
	.check = check,
	.values = values,
	.fill = fill,
};

const struct feature feature_kubernetes_master = {
	.id = FEATURE_KUBERNETES_MASTER,
	.name = "kubernetes-master",
	.summary = "the host is the cluster's master",
	.includes = FEATURE_BIT(FEATURE_KUBERNETES),
	.role_flag = "master",
	.flag_features = FEATURE_BIT(FEATURE_NAT) | FEATURE_BIT(FEATURE_CALICO),
};
