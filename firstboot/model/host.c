/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all keys of a host, and the loaders of their values. A value comes from
 * libconfig or from a word on the kernel command line; both use the same parser for its
 * type (host-value.c), so that both accept the same values. A value that cannot be read
 * is reported and marked as bad, and host_check ignores it.
 *
 * Limit: lists on the command line are separated by commas, so that an element that
 * contains a comma is possible only in a file.
 */
#include "firstboot/model/host-value.h"

#include "firstboot/model/conf-note.h"

#define AT(m)    offsetof(struct host, m)
#define LIST_MAX 256 /* elements of a list: some checks compare each with all others */

const struct host_key host_keys[HOST_KEY_COUNT] = {
	{HOST_NAME, "name", HOST_T_STR, AT(name),
	 "the host's name: one label, lower case"},
	{HOST_ROLE, "role", HOST_T_STR, AT(role),
	 "the role of the image that the host has"},
	{HOST_CLUSTER, "cluster", HOST_T_STR, AT(cluster), "the cluster's name"},
	{HOST_MAC, "mac", HOST_T_MAC, AT(mac), "the uplink, by MAC address"},
	{HOST_INTERFACE, "interface", HOST_T_STR, AT(interface), "the uplink, by name"},
	{HOST_ADDRESS, "address", HOST_T_CIDR_OR_DHCP, AT(address),
	 "the uplink's address with its prefix, or \"dhcp\""},
	{HOST_GATEWAY, "gateway", HOST_T_ADDR, AT(gateway), "the default route"},
	{HOST_DNS, "dns", HOST_T_STRV, AT(dns), "name servers, at most three"},
	{HOST_SEARCH, "search", HOST_T_STRV, AT(search),
	 "domains to search, at most six"},
	{HOST_NTP, "ntp", HOST_T_STRV, AT(ntp), "time servers"},
	{HOST_MTU, "mtu", HOST_T_U32, AT(mtu), "the uplink's MTU; 0: unchanged"},
	{HOST_BOND, "bond", HOST_T_STRV, AT(bond),
	 "the links that the uplink bonds, by MAC address or name"},
	{HOST_BOND_MODE, "bond_mode", HOST_T_STR, AT(bond_mode), "the bond's mode"},
	{HOST_BOND_MIIMON, "bond_miimon", HOST_T_U32, AT(bond_miimon),
	 "milliseconds between checks of the bond's links"},
	{HOST_BOND_HASH, "bond_hash", HOST_T_STR, AT(bond_hash),
	 "how the bond selects a link for a packet"},
	{HOST_BOND_LACP_RATE, "bond_lacp_rate", HOST_T_STR, AT(bond_lacp_rate),
	 "how often LACP packets are sent: \"slow\" or \"fast\""},
	{HOST_VLAN, "vlan", HOST_T_U32, AT(vlan),
	 "the uplink's VLAN; 0: packets have no tag"},
	{HOST_MASTER, "master", HOST_T_ADDR, AT(master), "the master's address"},
	{HOST_ETCD, "etcd", HOST_T_HOSTPORT, AT(etcd), "the address and port of etcd"},
	{HOST_CBR0, "cbr0", HOST_T_CIDR, AT(cbr0),
	 "the pod bridge's address with its prefix"},
	{HOST_CBR0_MTU, "cbr0_mtu", HOST_T_U32, AT(cbr0_mtu),
	 "the pod bridge's MTU; 0: unchanged"},
	{HOST_POD_NETWORK, "pod_network", HOST_T_NETWORK, AT(pod_network),
	 "the network of all pods"},
	{HOST_NODE_NETWORK, "node_network", HOST_T_NETWORK, AT(node_network),
	 "the network of all hosts"},
	{HOST_SERVICE_NETWORK, "service_network", HOST_T_NETWORK, AT(service_network),
	 "the range of service addresses"},
	{HOST_NAT, "nat", HOST_T_BOOL, AT(nat),
	 "masquerade packets from pods to outside the cluster"},
	{HOST_NAT_EXEMPT, "nat_exempt", HOST_T_CIDRV, AT(nat_exempt),
	 "more networks that are not masqueraded"},
	{HOST_POOLS, "pools", HOST_T_STRV, AT(pools), "Calico's address pools"},
	{HOST_BGP_AS, "bgp_as", HOST_T_AS, AT(bgp_as), "the AS number of the hosts"},
	{HOST_BGP_MESH, "bgp_mesh", HOST_T_BOOL, AT(bgp_mesh),
	 "every host exchanges routes with every other"},
	{HOST_BGP_PEERS, "bgp_peers", HOST_T_STRV, AT(bgp_peers),
	 "routers that every host exchanges routes with"},
	{HOST_BGP_NODE_PEERS, "bgp_node_peers", HOST_T_STRV, AT(bgp_node_peers),
	 "routers that only this host exchanges routes with"},
	{HOST_DOCKER_OPTIONS, "docker_options", HOST_T_STRV, AT(docker_options),
	 "options added to Docker's"},
	{HOST_SSH_KEYS, "ssh_keys", HOST_T_STRV, AT(ssh_keys), "root's authorized keys"},
	{HOST_ENVIRONMENT, "environment", HOST_T_STRV, AT(environment),
	 "entries added to /etc/network-environment"},
	{HOST_CONSOLE, "console", HOST_T_STR, AT(console),
	 "the console of the kernel and of firstboot"},
	{HOST_REPORT, "report", HOST_T_STR, AT(report),
	 "URL to PUT the host's report to"},
	{HOST_REPORT_TOKEN, "report_token", HOST_T_STR, AT(report_token),
	 "a secret that is sent with the report"},
};

static void origin_set(struct host *h, enum host_key_id id, const char *file,
		       unsigned line)
{
	char *copy = xstrdup(file);

	free(h->origin[id].file);
	h->origin[id] = (struct origin){.file = copy, .line = line};
}

void host_init(struct host *h)
{
	static const enum host_key_id with_default[] = {
		HOST_POD_NETWORK, HOST_NODE_NETWORK, HOST_SERVICE_NETWORK, HOST_NAT,
		HOST_BGP_MESH};

	*h = (struct host){
		.pod_network = {.addr = 0xc0a80000, .prefix = 16},  /* 192.168.0.0/16 */
		.node_network = {.addr = 0xac190000, .prefix = 24}, /* 172.25.0.0/24 */
		.service_network = {.addr = 0x0a640000, .prefix = 16}, /* 10.100.0.0/16 */
		.nat = true,
		.bgp_mesh = true,
	};
	for (size_t i = 0; i < ARRAY_SIZE(with_default); i++)
		origin_set(h, with_default[i], "default", 0);
}

void host_done(struct host *h)
{
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		host_value_done(h, &host_keys[i]);
		free(h->origin[i].file);
	}
	*h = (struct host){0};
}

/* --- from libconfig --------------------------------------------------------------- */

/* Returns a single value as text, owned by the caller. */
static char *scalar_text(const struct conf_node *n)
{
	const char *s = "";
	bool b = false;
	int i = 0;

	switch (conf_type(n)) {
	case CONF_BOOL:
		return xstrdup(conf_bool(n, &b, NULL) == 0 && b ? "true" : "false");
	case CONF_INT:
		return conf_int(n, &i, NULL) == 0 ? xasprintf("%d", i) : NULL;
	default:
		return conf_str(n, &s, NULL) == 0 ? xstrdup(s) : NULL;
	}
}

static int load_list(struct host *h, const struct host_key *k, const struct conf_node *n,
		     const char *prefix, struct diag *d)
{
	_cleanup_free_ char *must = NULL;
	_cleanup_strv_builder_ struct strv_builder v = {0};
	size_t wrong;

	if (conf_len(n) > LIST_MAX)
		return conf_complain(n, d, "%s%s: %zu entries, at most %d are allowed",
				     prefix, k->name, conf_len(n), LIST_MAX);
	for (size_t i = 0; i < conf_len(n); i++) {
		const char *s = "";
		int r = conf_str(conf_at(n, i), &s, NULL);

		if (r < 0) {
			must = host_value_must_be(k, i + 1, "");
			return conf_complain(conf_at(n, i), d, "%s%s: %s", prefix,
					     k->name, must);
		}
		strv_builder_add(&v, s);
	}
	wrong = host_value_types[k->type].parse_list(h, k, v.v);
	if (wrong == 0)
		return 0;
	must = host_value_must_be(k, wrong, v.v[wrong - 1]);
	return conf_complain(conf_at(n, wrong - 1), d, "%s%s: %s", prefix, k->name, must);
}

static int load_value(struct host *h, const struct host_key *k, const struct conf_node *n,
		      const char *prefix, struct diag *d)
{
	const struct host_value_type *t = &host_value_types[k->type];
	_cleanup_free_ char *text = NULL, *must = NULL;

	if (conf_type(n) == t->conf ||
	    (k->type == HOST_T_AS && conf_type(n) == CONF_INT)) {
		if (t->parse_list)
			return load_list(h, k, n, prefix, d);
		text = scalar_text(n);
		if (t->parse(h, k, text) == 0)
			return 0;
	}
	must = host_value_must_be(k, 0, text ? text : "");
	return conf_complain(n, d, "%s%s: %s%s", prefix, k->name, must,
			     text ? "" : conf_type_note(n, t->conf));
}

static const struct host_key *key_find(const char *name)
{
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		if (streq(host_keys[i].name, name))
			return &host_keys[i];
	return NULL;
}

/* Returns the word that is nearest to `name` among the host's keys and `others`; NULL
 * when none is near. */
static const char *nearest_key(const char *name, const struct other_key *others)
{
	const char *words[HOST_KEY_COUNT + 32] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		words[n++] = host_keys[i].name;
	for (; others && others->name && n + 1 < ARRAY_SIZE(words); others++)
		words[n++] = others->name;
	return str_nearest(name, words);
}

/* Complains about an unknown key. The key that it is a misspelling of counts as given and
 * wrong, so that nothing else is reported about it. */
static int unknown_key(struct host *h, const struct conf_node *group,
		       const struct conf_node *n, const char *prefix,
		       const struct other_key *others, struct diag *d)
{
	const char *near = nearest_key(conf_key(n), others);
	const struct host_key *k = near ? key_find(near) : NULL;

	if (k && !conf_member(group, near))
		h->bad[k->id] = true;
	return conf_complain_unknown(n, prefix, near, d);
}

static const struct other_key *other_find(const struct other_key *others,
					  const char *name)
{
	for (; others && others->name; others++)
		if (streq(others->name, name))
			return others;
	return NULL;
}

int host_load_conf_except(struct host *h, const struct conf_node *group,
			  const char *prefix, const struct other_key *others,
			  struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < conf_len(group); i++) {
		const struct conf_node *n = conf_at(group, i);
		const struct other_key *other = other_find(others, conf_key(n));
		const struct host_key *k = key_find(conf_key(n));

		if (other) {
			if (!other->refused)
				continue;
			r = conf_complain(n, d, "%s%s %s", prefix, other->name,
					  other->refused);
			if (k)
				h->bad[k->id] = true;
			continue;
		}
		if (!k) {
			r = unknown_key(h, group, n, prefix, others, d);
			continue;
		}
		h->set[k->id] = true;
		h->bad[k->id] = load_value(h, k, n, prefix, d) < 0;
		origin_set(h, k->id, conf_file(n), conf_line(n));
		if (h->bad[k->id])
			r = -1;
	}
	return r;
}

int host_load_conf(struct host *h, const struct conf_node *group, const char *prefix,
		   struct diag *d)
{
	/* For the complaint about a host of which nothing is given. */
	if (conf_len(group) == 0 && !h->origin[HOST_NAME].file)
		origin_set(h, HOST_NAME, conf_file(group), 0);
	return host_load_conf_except(h, group, prefix, NULL, d);
}

/* --- from text -------------------------------------------------------------------- */

/* Returns NULL when the value was set, else the complaint, "must be ...", owned by the
 * caller. */
static char *set_value(struct host *h, const struct host_key *k, const char *text)
{
	const struct host_value_type *t = &host_value_types[k->type];
	_cleanup_strv_ char **v = NULL;
	size_t wrong;

	if (!t->parse_list)
		return t->parse(h, k, text) < 0 ? host_value_must_be(k, 0, text) : NULL;
	v = strv_split(text, ",");
	wrong = t->parse_list(h, k, v);
	return wrong ? host_value_must_be(k, wrong, v[wrong - 1]) : NULL;
}

int host_set(struct host *h, const char *name, const char *value, const char *file,
	     unsigned line, struct diag *d)
{
	const struct host_key *k = key_find(name);
	const char *prefix = line ? "" : "rackstrap."; /* a word on the command line */
	_cleanup_free_ char *where =
		line ? xasprintf("%s:%u", file, line) : xstrdup(file);
	_cleanup_free_ char *must = NULL;

	if (!k) {
		const char *near = nearest_key(name, NULL);

		if (!near)
			return diag_add(d, "%s: unknown key '%s%s'", where, prefix, name);
		k = key_find(near);
		h->bad[k->id] = h->bad[k->id] || !h->set[k->id];
		return diag_add(d, "%s: unknown key '%s%s' (did you mean '%s%s'?)", where,
				prefix, name, prefix, near);
	}
	must = set_value(h, k, value ? value : k->type == HOST_T_BOOL ? "true" : "");
	h->set[k->id] = true;
	h->bad[k->id] = must != NULL;
	origin_set(h, k->id, file, line);
	if (!must)
		return 0;
	return diag_add(d, "%s: %s%s: %s", where, prefix, k->name, must);
}

/* --- derived values --------------------------------------------------------------- */

#define ETCD_PORT 4001
#define MIIMON_MS 100

static void derive_bond(struct host *h)
{
	if (strv_len(h->bond) == 0 || h->bad[HOST_BOND])
		return;
	if (!h->set[HOST_BOND_MODE]) {
		free(h->bond_mode);
		h->bond_mode = xstrdup("active-backup");
		origin_set(h, HOST_BOND_MODE, "default", 0);
	}
	if (!h->set[HOST_BOND_MIIMON]) {
		h->bond_miimon = MIIMON_MS;
		origin_set(h, HOST_BOND_MIIMON, "default", 0);
	}
}

static void derive_pools(struct host *h)
{
	char net[NET_CIDR_LEN];

	if (h->set[HOST_POOLS])
		return;
	strv_free(h->pools);
	h->pools = NULL;
	strv_add(&h->pools, net_format_cidr(h->pod_network, net));
	origin_set(h, HOST_POOLS, "from pod_network", 0);
}

/* Returns true when the host's role is a master's. */
static bool is_master(const struct host *h, const struct roles *roles)
{
	const struct role *role =
		h->role && !h->bad[HOST_ROLE] ? roles_find(roles, h->role) : NULL;

	return role && role->master;
}

void host_derive(struct host *h, const struct roles *roles)
{
	derive_bond(h);
	derive_pools(h);
	if (is_master(h, roles) && !h->set[HOST_MASTER] && !h->dhcp &&
	    h->address.prefix && !h->bad[HOST_ADDRESS]) {
		h->master = h->address.addr;
		origin_set(h, HOST_MASTER, "from address", 0);
	}
	if (!h->set[HOST_ETCD] && h->master && !h->bad[HOST_MASTER]) {
		h->etcd = (struct hostport){.addr = h->master, .port = ETCD_PORT};
		origin_set(h, HOST_ETCD, "from master", 0);
	}
}

const char *host_where(const struct host *h, enum host_key_id id, char *out, size_t size)
{
	const struct origin *o = &h->origin[id];

	if (!o->file)
		snprintf(out, size, "not given");
	else if (o->line)
		snprintf(out, size, "%s:%u", o->file, o->line);
	else
		snprintf(out, size, "%s", o->file);
	return out;
}
