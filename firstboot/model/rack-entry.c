/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/rack-entry.h"

#define OF_A_HOST      "belongs to each host: write it in the host's group"
#define MADE           "is a secret that `rackstrap pxe` makes: leave it out"
#define OF_THE_CLUSTER "belongs to the cluster: write it in the cluster group"

const struct other_key rack_cluster_others[] = {
	{"name", NULL},
	{"boot_server", NULL},
	{"master", NULL},
	{"cmdline", NULL},
	{"state_disk", NULL},
	{"vm", NULL},
	{"cluster", "is not a key of this group: the cluster's name is the key 'name'"},
	{"role", OF_A_HOST},
	{"mac", OF_A_HOST},
	{"address", OF_A_HOST},
	{"cbr0", OF_A_HOST},
	{"report", OF_A_HOST},
	{"report_token", MADE},
	{"bgp_node_peers", OF_A_HOST},
	{NULL, NULL},
};

const struct other_key rack_entry_others[] = {
	{"address", NULL},
	{"cmdline", NULL},
	{"state_disk", NULL},
	{"vm", NULL},
	{"serial", NULL},
	{"uuid", NULL},
	{"report_token", MADE},
	{"cluster", "is the same for all hosts: write it as 'name' in the cluster group"},
	{"pod_network", OF_THE_CLUSTER},
	{"service_network", OF_THE_CLUSTER},
	{"pools", OF_THE_CLUSTER},
	{"bgp_as", OF_THE_CLUSTER},
	{"bgp_mesh", OF_THE_CLUSTER},
	{"bgp_peers", OF_THE_CLUSTER},
	{NULL, NULL},
};

static int set(struct host *h, const char *key, const char *value,
	       const struct conf_node *from, struct diag *d)
{
	return host_set(h, key, value, conf_file(from), conf_line(from), d);
}

/* Loads `address`, with the prefix of the node network when it has none. */
static int load_address(struct host *h, const struct conf_node *entry, struct diag *d)
{
	const struct conf_node *n = conf_member(entry, "address");
	_cleanup_free_ char *text = NULL;
	const char *s = "";
	uint32_t addr;

	if (!n)
		return 0;
	(void)!conf_str(n, &s, NULL);
	if (net_parse_addr(s, &addr) == 0)
		text = xasprintf("%s/%u", s, h->node_network.prefix);
	return set(h, "address", text ? text : s, n, d);
}

/* Returns the address of the host of that name, without a prefix, owned by the caller;
 * NULL when there is none. */
static char *address_of(const struct conf_node *hosts, const char *name)
{
	const char *is = NULL, *s = NULL;

	for (size_t i = 0; i < conf_len(hosts); i++)
		if (conf_get_str(conf_at(hosts, i), "name", &is, NULL) > 0 &&
		    streq(is, name) &&
		    conf_get_str(conf_at(hosts, i), "address", &s, NULL) > 0)
			return xstrndup(s, strcspn(s, "/"));
	return NULL;
}

/* Loads the cluster's `master`, the name of a host or an address. */
static int load_master(struct host *h, const struct conf_node *cluster,
		       const struct conf_node *hosts, struct diag *d)
{
	const struct conf_node *n = conf_member(cluster, "master");
	_cleanup_free_ char *of_host = NULL;
	const char *s = "";
	uint32_t addr;

	if (!n || h->set[HOST_MASTER])
		return 0;
	(void)!conf_str(n, &s, NULL);
	if (net_parse_addr(s, &addr) < 0) {
		of_host = address_of(hosts, s);
		if (!of_host)
			return conf_complain(n, d,
					     "cluster: master: no host of this name "
					     "has an address");
	}
	return set(h, "master", of_host ? of_host : s, n, d);
}

int rack_entry_load(struct host *h, const struct conf_node *rack,
		    const struct conf_node *entry, struct diag *d)
{
	const struct conf_node *cluster = conf_member(rack, "cluster"),
			       *hosts = conf_member(rack, "hosts"),
			       *name = conf_member(cluster, "name");
	const char *s = "";
	int r = 0;

	if (host_load_conf_except(h, cluster, "cluster: ", rack_cluster_others, d) < 0)
		r = -1;
	h->set[HOST_MASTER] = false; /* an earlier source does not count */
	if (host_load_conf_except(h, entry, "", rack_entry_others, d) < 0)
		r = -1;
	if (load_address(h, entry, d) < 0 || load_master(h, cluster, hosts, d) < 0)
		r = -1;
	if (name && conf_str(name, &s, d) == 0 && set(h, "cluster", s, name, d) < 0)
		r = -1;
	return r;
}
