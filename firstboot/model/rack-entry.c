/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/rack-entry.h"

#define MADE "is a secret that `rackstrap pxe` makes: leave it out"

static const struct other_key cluster_others[] = {
	{"name", NULL},
	{"boot_server", NULL},
	{"dhcp_servers", NULL},
	{"cmdline", NULL},
	{"state_disk", NULL},
	{"vm", NULL},
	{"secrets", NULL},
	{"strangers", NULL},
	{"cluster", "is not a key of this group: the cluster's name is the key 'name'"},
	{"report_token", MADE},
	{NULL, NULL},
};

static const struct other_key entry_others[] = {
	{"address", NULL},
	{"cmdline", NULL},
	{"state_disk", NULL},
	{"vm", NULL},
	{"secrets", NULL},
	{"serial", NULL},
	{"uuid", NULL},
	{"profiles", NULL},
	{"hosts_file", NULL},
	{"report_token", MADE},
	{"cluster", "is the same for all hosts: write it as 'name' in the cluster group"},
	{NULL, NULL},
};

const struct host_group rack_cluster_group = {
	.others = cluster_others,
	.refused = HOST_LEVEL_HOST,
	.refusal = "belongs to each host: write it in the host's group",
	.shared = true,
};

const struct host_group rack_entry_group = {
	.others = entry_others,
	.refused = HOST_LEVEL_CLUSTER,
	.refusal = "belongs to the cluster: write it in the cluster group",
};

bool rack_key_is_of_machine(const char *key)
{
	return key && (streq(key, "mac") || streq(key, "serial") || streq(key, "uuid"));
}

/* Returns the setting of an entry that makes it one of many hosts, or NULL. */
static const struct conf_node *find_compact(const struct conf_node *entry)
{
	for (size_t i = 0; i < conf_len(entry); i++) {
		const struct conf_node *n = conf_at(entry, i);
		const char *key = conf_key(n), *s = NULL;

		if (!key)
			return NULL; /* no group: it is complained about */
		if (streq(key, "profiles") || streq(key, "hosts_file") ||
		    (rack_key_is_of_machine(key) && conf_type(n) == CONF_LIST) ||
		    (streq(key, "name") && conf_str(n, &s, NULL) == 0 && strchr(s, '[')))
			return n;
	}
	return NULL;
}

const struct conf_node *rack_find_compact(const struct conf_node *rack)
{
	const struct conf_node *hosts = conf_member(rack, "hosts"),
			       *found = conf_member(rack, "profiles");

	if (!found)
		found = conf_member(rack, "hosts_file");
	for (size_t i = 0; i < conf_len(hosts) && !found; i++)
		found = find_compact(conf_at(hosts, i));
	return found;
}

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
	if (net_parse_addr(s, &addr) == 0 && h->node_network.prefix)
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

/* Loads an address that the cluster group may give as the name of a host. */
static int load_named(struct host *h, const struct host_key *k,
		      const struct conf_node *cluster, const struct conf_node *hosts,
		      struct diag *d)
{
	const struct conf_node *n = conf_member(cluster, k->name);
	_cleanup_free_ char *of_host = NULL;
	const char *s = "";
	uint32_t addr;

	if (!n || h->set[k->id])
		return 0;
	(void)!conf_str(n, &s, NULL);
	if (net_parse_addr(s, &addr) < 0) {
		of_host = address_of(hosts, s);
		if (!of_host)
			return conf_complain(n, d,
					     "cluster: %s: no host of this name has an "
					     "address",
					     k->name);
	}
	if (set(h, k->name, of_host ? of_host : s, n, d) < 0)
		return -1;
	h->shared[k->id] = true;
	return 0;
}

/* Returns true when an element of the cluster's `secrets` is for hosts of this role. */
static bool is_for_role(const struct conf_node *secret, const char *role)
{
	const struct conf_node *roles = conf_member(secret, "roles");
	const char *s = NULL;

	for (size_t i = 0; i < conf_len(roles); i++)
		if (role && conf_str(conf_at(roles, i), &s, NULL) == 0 && streq(s, role))
			return true;
	return !roles;
}

/* Complains about a secret of the host: only the boot server gives it to a machine. */
static int refuse_secrets(const struct host *h, const struct conf_node *cluster,
			  const struct conf_node *entry, struct diag *d)
{
	const struct conf_node *common = conf_member(cluster, "secrets"),
			       *own = conf_member(entry, "secrets"), *found = NULL;

	for (size_t i = 0; i < conf_len(common) && !found; i++)
		if (is_for_role(conf_at(common, i), h->role))
			found = conf_at(common, i);
	if (conf_len(own) > 0)
		found = own;
	return found ? conf_complain(found, d,
				     "secrets: this machine booted from a medium, which "
				     "has none: boot it from the boot server, or leave "
				     "them out")
		     : 0;
}

int rack_entry_load(struct host *h, const struct conf_node *rack,
		    const struct conf_node *entry, struct diag *d)
{
	const struct conf_node *cluster = conf_member(rack, "cluster"),
			       *hosts = conf_member(rack, "hosts"),
			       *name = conf_member(cluster, "name");
	const char *s = "";
	int r = 0;

	if (host_load_group(h, cluster, "cluster: ", &rack_cluster_group, d) < 0)
		r = -1;
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++)
		if (host_key(id)->names_host)
			h->set[id] = false; /* an earlier source does not count */
	if (host_load_group(h, entry, "", &rack_entry_group, d) < 0)
		r = -1;
	if (load_address(h, entry, d) < 0 || refuse_secrets(h, cluster, entry, d) < 0)
		r = -1;
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++)
		if (host_key(id)->names_host &&
		    load_named(h, host_key(id), cluster, hosts, d) < 0)
			r = -1;
	if (name && conf_str(name, &s, d) == 0 && set(h, "cluster", s, name, d) < 0)
		r = -1;
	return r;
}
