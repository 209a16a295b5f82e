/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads a rack. The host model's loader reads the cluster group into every host and then
 * the host's own group, so that each value keeps the line that it came from. Keys of the
 * two groups that are not keys of host.cfg are read by rack-keys.c. Then every host is
 * derived and checked as on the node, and at last the hosts are checked against each
 * other (rack-check.c).
 *
 * A mistake in the cluster group affects every host but is reported once: the group is
 * loaded once for its complaints, and a complaint that all hosts share is not repeated.
 */
#include "pxe/rack.h"

#include "firstboot/model/conf-note.h"
#include "firstboot/model/feature.h"
#include "firstboot/model/rack-entry.h"
#include "lib/file.h"
#include "pxe/feature.h"
#include "pxe/rack-check.h"
#include "pxe/rack-fold.h"
#include "pxe/rack-settings.h"

#define VM_MEMORY  (1536ULL << 20)
#define VM_CPUS    1
#define COPIES_MAX (256U << 20) /* bytes of the cluster's settings in all hosts */

static void rack_host_done(struct rack_host *h)
{
	host_done(&h->host);
	free(h->cmdline);
	free(h->state_disk);
	free(h->serial);
	free(h->uuid);
	free(h->secrets);
}

/* --- the cluster ------------------------------------------------------------------ */

static const char *rack_name_wrong(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (s[strspn(s, letters)] || s[0] == '-' || s[strlen(s) - 1] == '-' ||
	    strlen(s) > 63)
		return "must be lower-case letters, digits and '-', at most 63, without "
		       "a '-' at either end";
	return NULL;
}

static void cluster_missing(struct loader *l, const char *key, const char *what)
{
	if (conf_is_missing(l->cluster, key))
		l->r = conf_complain(l->cluster, l->d, "cluster: %s is missing: %s", key,
				     what);
}

static void load_boot_server(struct loader *l, const struct host *proto)
{
	const struct conf_node *n = conf_member(l->cluster, "boot_server");
	char net[NET_CIDR_LEN];
	const char *s = NULL;
	struct cidr at = {.prefix = proto->node_network.prefix};

	if (!n)
		return;
	if (conf_str(n, &s, NULL) < 0 || net_parse_addr(s, &at.addr) < 0) {
		l->r = conf_complain(n, l->d,
				     "cluster: boot_server: must be an IPv4 address like "
				     "\"172.25.0.1\"%s",
				     s ? conf_value_note(s)
				       : conf_type_note(n, CONF_STRING));
		return;
	}
	if (!net_is_machine(at.addr)) {
		l->r = conf_complain(n, l->d,
				     "cluster: boot_server: %s cannot be a machine's "
				     "address",
				     s);
		return;
	}
	l->rack->boot_server = at.addr;
	net_format_cidr(proto->node_network, net);
	if (proto->bad[HOST_NODE_NETWORK] || !proto->node_network.prefix)
		return;
	if (!net_contains(proto->node_network, at.addr))
		l->r = conf_complain(n, l->d,
				     "cluster: boot_server %s is outside node_network %s",
				     s, net);
	else if (!net_is_host(at))
		l->r = conf_complain(n, l->d,
				     "cluster: boot_server %s is the network or "
				     "broadcast address of %s",
				     s, net);
}

/* Returns the features of the hosts' roles. A host whose role is not known may have those
 * of all. */
static uint32_t features_of_hosts(const struct roles *roles,
				  const struct conf_node *hosts)
{
	uint32_t set = conf_len(hosts) == 0 ? roles_features(roles) : 0;

	for (size_t i = 0; i < conf_len(hosts); i++) {
		const char *name = NULL;
		const struct role *role = NULL;

		if (conf_get_str(conf_at(hosts, i), "role", &name, NULL) > 0)
			role = roles_find(roles, name);
		set |= role ? role->features : roles_features(roles);
	}
	return set;
}

/* Complains about keys of features that no role of the image has. */
static void check_features(struct loader *l, const struct host *proto)
{
	const uint32_t set = roles_features(l->roles);
	const char *image = l->roles->image;

	for (size_t i = 0; i < conf_len(l->cluster); i++) {
		const struct conf_node *n = conf_at(l->cluster, i);
		const struct host_key *k = host_key_find(conf_key(n));
		const struct feature *f = k ? feature_of_key(k->id) : NULL;

		if (!f || set & FEATURE_BIT(f->id) ||
		    (proto->bad[k->id] && !proto->set[k->id]))
			continue;
		l->r = conf_complain(n, l->d,
				     "cluster: unknown key '%s' for %s%s%s (feature '%s' "
				     "has it)",
				     k->name, image ? "image '" : "this image",
				     image ? image : "", image ? "'" : "", f->name);
	}
}

/* Checks that the cluster's settings fit into a host.cfg, and that they do not fill the
 * memory: each host gets a copy of them. */
static void check_cluster_size(struct loader *l, const struct host *proto, size_t n_hosts)
{
	_cleanup_free_ char *text = host_render(proto);
	size_t len = strlen(text);

	if (len > HOST_CFG_MAX)
		l->r = conf_complain(
			l->cluster, l->d,
			"cluster: its settings have %zu bytes in a host.cfg, "
			"at most %d are allowed",
			len, HOST_CFG_MAX);
	else if (len * n_hosts > COPIES_MAX)
		l->r = conf_complain(l->cluster, l->d,
				     "cluster: its settings have %zu bytes, which is too "
				     "much for %zu hosts",
				     len, n_hosts);
	else
		return;
	l->too_large = true;
}

/* Loads the cluster group, and reports its mistakes once. */
static void load_cluster(struct loader *l, size_t n_hosts)
{
	_cleanup_host_ struct host proto = {0};

	host_init(&proto);
	proto.features = roles_features(l->roles);
	if (host_load_group(&proto, l->cluster, "cluster: ", &rack_cluster_group, l->d) <
	    0)
		l->r = -1;
	check_features(l, &proto);
	host_limit(&proto, l->roles->any ? host_used(&proto) : l->features);
	l->name = conf_member(l->cluster, "name");
	rack_load_text(l, l->cluster, "cluster: ", "name", rack_name_wrong,
		       &l->rack->name);
	cluster_missing(l, "name", "give it one, like \"demo\"");
	load_boot_server(l, &proto);
	cluster_missing(l, "boot_server",
			"give the address that dnsmasq and nginx listen on");
	rack_load_dhcp_servers(l);
	rack_named_load(l);
	for (size_t i = 0; feature_racks[i]; i++)
		if (feature_racks[i]->cluster && !l->roles->any &&
		    l->features & FEATURE_BIT(feature_racks[i]->id))
			feature_racks[i]->cluster(l);
	rack_load_keys(l, l->cluster, "cluster: ", &l->common);
	rack_load_secrets(l);
	l->rack->network = proto.node_network;
	check_cluster_size(l, &proto, n_hosts);
}

/* --- profiles --------------------------------------------------------------------- */

/* Reports the mistakes of a profile once, also when no host takes it. */
static void load_profile(struct loader *l, const struct conf_node *n)
{
	_cleanup_free_ char *prefix = xasprintf("profile '%.60s': ", conf_key(n));
	_cleanup_host_ struct host host = {0};
	struct rack_host h = {0};

	if (conf_type(n) != CONF_GROUP) {
		l->r = conf_complain(n, l->d, "%smust be a group: { ... }", prefix);
		return;
	}
	for (size_t i = 0; i < conf_len(n); i++)
		if (rack_key_is_of_host(conf_key(conf_at(n, i))))
			l->r = conf_complain(conf_at(n, i), l->d,
					     "%s%s belongs to each host: write it in the "
					     "host's group",
					     prefix, conf_key(conf_at(n, i)));
	host_init(&host);
	host.features = roles_features(l->roles);
	if (host_load_group(&host, n, prefix, &rack_entry_group, l->d) < 0)
		l->r = -1;
	rack_load_keys(l, n, prefix, &h);
	rack_host_done(&h);
}

static void load_profiles(struct loader *l)
{
	if (!l->profiles)
		return;
	if (conf_type(l->profiles) != CONF_GROUP)
		l->r = conf_complain(l->profiles, l->d,
				     "profiles: must be a group with a group of keys for "
				     "each: { big : { ... }; }");
	else
		for (size_t i = 0; i < conf_len(l->profiles); i++)
			load_profile(l, conf_at(l->profiles, i));
}

/* --- the hosts -------------------------------------------------------------------- */

static void complain_prefix(struct loader *l, const struct conf_node *n,
			    const char *prefix, const char *address, struct host *h)
{
	h->bad[HOST_ADDRESS] = true;
	l->r = conf_complain(n, l->d,
			     "%saddress: '%s' has no prefix: write one, like \"%s/24\", "
			     "or give node_network in the cluster group",
			     prefix, address, address);
}

/* Loads a host's address; without a prefix, it gets that of the node network. */
static void load_address(struct loader *l, const struct conf_node *group,
			 const char *prefix, struct host *h)
{
	const struct conf_node *n = conf_member(group, "address");
	_cleanup_free_ char *text = NULL;
	const char *s = NULL;
	uint32_t addr;
	struct cidr c;

	if (!n)
		return;
	if (conf_str(n, &s, NULL) == 0 && net_parse_addr(s, &addr) == 0) {
		if (h->bad[HOST_NODE_NETWORK]) { /* reported, and its prefix is unknown */
			h->bad[HOST_ADDRESS] = true;
			return;
		}
		if (!h->node_network.prefix) {
			complain_prefix(l, n, prefix, s, h);
			return;
		}
		text = xasprintf("%s/%u", s, h->node_network.prefix);
	} else if (s && (streq(s, "dhcp") || net_parse_cidr(s, &c) == 0))
		text = xstrdup(s);
	if (text && host_set(h, "address", text, conf_file(n), conf_line(n), NULL) == 0)
		return;
	h->bad[HOST_ADDRESS] = true;
	l->r = conf_complain(n, l->d,
			     "%saddress: must be an IPv4 address like \"172.25.0.11\", "
			     "with or without a prefix, or \"dhcp\"%s",
			     prefix,
			     s ? conf_value_note(s) : conf_type_note(n, CONF_STRING));
}

static void copy_common(const struct rack_host *common, struct rack_host *h)
{
	h->cmdline = xstrdup(common->cmdline);
	h->state_disk = xstrdup(common->state_disk);
	h->vm_memory = common->vm_memory;
	h->vm_cpus = common->vm_cpus;
	h->vm_disk = common->vm_disk;
	h->vm_nics = common->vm_nics;
}

/* Returns the name of the node's file, which is the rack's. */
static const char *file_of(struct rack *r, const struct conf_node *n)
{
	size_t i = intern(&r->files, conf_file(n), NULL);

	return r->files.texts[i];
}

static void load_host(struct loader *l, const struct conf_node *group, size_t i,
		      struct rack_host *h)
{
	_cleanup_free_ char *prefix = NULL;
	const char *name = NULL;
	size_t from = l->d ? l->d->n : 0;

	h->file = file_of(l->rack, group);
	h->line = conf_line(group);
	host_init(&h->host);
	copy_common(&l->common, h);
	if (conf_get_str(group, "name", &name, NULL) > 0 && *name)
		prefix = xasprintf("host '%s': ", name);
	else
		prefix = xasprintf("host %zu: ", i + 1);
	if (host_load_group(&h->host, l->cluster, "", &rack_cluster_group, NULL) < 0)
		l->r = -1; /* reported by load_cluster */
	host_limit(&h->host, l->features);
	if (host_load_group(&h->host, group, prefix, &rack_entry_group, l->d) < 0)
		l->r = -1;
	load_address(l, group, prefix, &h->host);
	rack_load_keys(l, group, prefix, h);
	rack_load_identity(l, group, prefix, h);
	rack_load_host_secrets(l, group, prefix, h);
	if (conf_is_missing(group, "name")) {
		l->r = conf_complain(group, l->d,
				     "host %zu has no name: give it one, like "
				     "\"node-1\"",
				     i + 1);
		h->host.bad[HOST_NAME] = true; /* keeps host_check() from reporting it */
	}
	if (conf_is_missing(group, "mac"))
		l->r = conf_complain(
			group, l->d,
			"%smac is missing: a booting machine is identified by "
			"its MAC address",
			prefix);
	diag_host_from(l->d, from, h->host.name);
}

static void load_hosts(struct loader *l, const struct conf_node *list)
{
	l->rack->hosts = xcalloc(conf_len(list) + 1, sizeof(*l->rack->hosts));
	for (size_t i = 0; i < conf_len(list); i++) {
		const struct conf_node *group = conf_at(list, i);

		if (conf_type(group) != CONF_GROUP) {
			l->r = conf_complain(group, l->d,
					     "hosts: element %zu must be a group: "
					     "{ name = ...; mac = ...; ... }",
					     i + 1);
			continue;
		}
		load_host(l, group, i, &l->rack->hosts[l->rack->n_hosts++]);
	}
	if (conf_len(list) == 0 && !l->incomplete)
		l->r = conf_complain(
			list, l->d,
			"hosts: the list is empty: it needs a group for each host");
}

/* --- the file --------------------------------------------------------------------- */

/* Returns true when a member has one of the keys, or a misspelling of it. */
static bool resembles_rack(const struct conf_node *root, const char *const *keys)
{
	for (size_t i = 0; i < conf_len(root); i++)
		if (str_nearest(conf_key(conf_at(root, i)), keys))
			return true;
	return false;
}

static void load_root(struct loader *l, const struct conf_node *root)
{
	static const char *const keys[] = {"cluster", "hosts", "profiles", "hosts_file",
					   NULL};
	const struct diag_place whole = {.file = l->rack->file};
	const struct conf_node *hosts = NULL;
	int c, h;

	if (conf_len(root) == 0) {
		l->r = diag_add_at(l->d, &whole,
				   "is empty: a rack has a group 'cluster' and a list "
				   "'hosts'");
		return;
	}
	if (!resembles_rack(root, keys)) {
		l->r = diag_add_at(l->d, &whole,
				   "is no rack file: it has neither 'cluster' nor "
				   "'hosts' (a recipe is checked by `rackstrap build "
				   "--dry-run`)");
		return;
	}
	if (conf_check_keys(root, keys, l->d) < 0)
		l->r = -1;
	c = conf_get_group(root, "cluster", &l->cluster, l->d);
	h = conf_get_list(root, "hosts", &hosts, l->d);
	if (c == 0 && conf_is_missing(root, "cluster"))
		l->r = diag_add_at(l->d, &whole,
				   "group 'cluster' is missing: it has the settings "
				   "that all hosts share");
	if (h == 0 && conf_is_missing(root, "hosts"))
		l->r = diag_add_at(l->d, &whole,
				   "list 'hosts' is missing: it has a group for each "
				   "host");
	if (c <= 0 || h <= 0) {
		l->r = -1;
		return;
	}
	l->features = features_of_hosts(l->roles, hosts);
	load_cluster(l, conf_len(hosts));
	if (l->too_large)
		return;
	load_profiles(l);
	if (conf_len(hosts) > RACK_MAX_HOSTS) {
		l->r = conf_complain(hosts, l->d, "hosts: more than %d hosts",
				     RACK_MAX_HOSTS);
		return;
	}
	load_hosts(l, hosts);
	rack_named_find(l);
	rack_check_each(l);
	rack_find_network(l);
	rack_load_strangers(l);
	if (rack_check(l) < 0)
		l->r = -1;
}

int rack_load_settings(struct rack *ret, const struct rack_settings *s,
		       const struct roles *roles, bool secrets, struct diag *d)
{
	const struct conf *flat = rack_settings_flat(s);
	struct loader l = {
		.rack = ret,
		.roles = roles,
		.d = d,
		.profiles = conf_member(conf_root(s->written), "profiles"),
		.incomplete = s->incomplete,
		.common = {.vm_memory = VM_MEMORY, .vm_cpus = VM_CPUS},
		.r = s->incomplete ? -1 : 0,
	};

	*ret = (struct rack){.file = xstrdup(conf_name(flat)), .any_roles = roles->any};
	load_root(&l, conf_root(flat));
	rack_host_done(&l.common);
	if (secrets && rack_read_secrets(&ret->secrets, d) < 0)
		l.r = -1;
	if (l.r < 0) {
		rack_done(ret);
		if (d)
			rack_fold(d);
	}
	return l.r;
}

int rack_load(struct rack *ret, const char *path, const struct roles *roles,
	      struct diag *d)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};

	return rack_settings_read(&s, path, d) < 0
		       ? -1
		       : rack_load_settings(ret, &s, roles, true, d);
}

int rack_parse(struct rack *ret, const char *text, size_t len, const char *name,
	       unsigned flags, const struct roles *roles, struct diag *d)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};

	return rack_settings_parse(&s, text, len, name, flags, d) < 0
		       ? -1
		       : rack_load_settings(ret, &s, roles, false, d);
}

void rack_done(struct rack *r)
{
	for (size_t i = 0; i < r->n_hosts; i++)
		rack_host_done(&r->hosts[i]);
	free(r->hosts);
	rack_secrets_done(&r->secrets);
	rack_strangers_done(&r->strangers);
	intern_done(&r->files);
	free(r->file);
	free(r->name);
	*r = (struct rack){0};
}
