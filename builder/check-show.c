/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the settings of a rack file without mistakes: `rackstrap check --expand` those
 * of all hosts, as a rack.cfg, and --explain those of one host with their places, as
 * `firstboot explain` does.
 */
#include "builder/check-output.h"

#include "lib/file.h"
#include "lib/out.h"

#include <stdlib.h>

#define ORIGIN_COLUMN 50

/* --- the rack --------------------------------------------------------------------- */

/* Returns the path of a secret's file as a rack file in the folder of `rack` names it.
 * Owned. */
static char *path_from(const char *rack, const struct conf_node *n, const char *file)
{
	_cleanup_free_ char *path = file_beside(conf_file(n), file);
	_cleanup_free_ char *folder = file_beside(rack, ""), *real = NULL;
	const char *rest = strchr(rack, '/') ? str_after(path, folder) : path;

	if (rest)
		return xstrdup(rest);
	real = realpath(path, NULL);
	return real ? TAKE_PTR(real) : TAKE_PTR(path);
}

static const struct conf_node *secret_from(struct conf *to, const char *rack,
					   const struct conf_node *secret)
{
	const struct conf_node *file = conf_member(secret, "file");
	_cleanup_free_ char *path = NULL;
	struct conf_node *copy;
	const char *s = NULL;

	if (!file || conf_str(file, &s, NULL) < 0 || streq(conf_file(file), rack))
		return secret;
	path = path_from(rack, file, s);
	copy = conf_make(to, CONF_GROUP, NULL, secret);
	for (size_t i = 0; i < conf_len(secret); i++) {
		const struct conf_node *m = conf_at(secret, i);

		conf_add(to, copy, m == file ? conf_make_str(to, "file", path, m) : m);
	}
	return copy;
}

/* Returns the cluster or a host with the names of its secrets' files as above. */
static const struct conf_node *group_from(struct conf *to, const char *rack,
					  const struct conf_node *group)
{
	const struct conf_node *secrets = conf_member(group, "secrets");
	struct conf_node *copy, *list;

	if (!secrets)
		return group;
	copy = conf_make(to, CONF_GROUP, conf_key(group), group);
	list = conf_make(to, CONF_LIST, "secrets", secrets);
	for (size_t i = 0; i < conf_len(secrets); i++)
		conf_add(to, list, secret_from(to, rack, conf_at(secrets, i)));
	for (size_t i = 0; i < conf_len(group); i++) {
		const struct conf_node *m = conf_at(group, i);

		conf_add(to, copy, m == secrets ? list : m);
	}
	return copy;
}

static int print_expanded(struct check_printer *p _unused_, const struct checked *f,
			  struct err *e _unused_)
{
	const struct conf *flat = f->rack ? rack_settings_flat(f->settings) : NULL;
	_cleanup_conf_ struct conf *to = NULL;
	_cleanup_free_ char *text = NULL;
	const struct conf_node *hosts, *cluster;
	struct conf_node *root, *list;
	const char *rack;

	if (!flat)
		return 0;
	hosts = conf_member(conf_root(flat), "hosts");
	cluster = conf_member(conf_root(flat), "cluster");
	rack = conf_name(flat);
	to = conf_new(rack);
	root = conf_make(to, CONF_GROUP, NULL, NULL);
	list = conf_make(to, CONF_LIST, "hosts", hosts);
	for (size_t i = 0; i < conf_len(hosts); i++)
		conf_add(to, list, group_from(to, rack, conf_at(hosts, i)));
	conf_add(to, root, group_from(to, rack, cluster));
	conf_add(to, root, list);
	text = conf_text(to);
	out_line("# %s, expanded by `rackstrap check --expand`.", rack);
	out_text(text);
	return 0;
}

const struct check_output check_expand = {
	.option = "expand",
	.id = OPT_EXPAND,
	.one_file = true,
	.file = print_expanded,
};

/* --- a host ----------------------------------------------------------------------- */

/* Checks if the node is a member of the group, or of a group in it. */
static bool has_node(const struct conf_node *group, const struct conf_node *n)
{
	for (size_t i = 0; i < conf_len(group); i++) {
		const struct conf_node *m = conf_at(group, i);

		if (m == n || (conf_type(m) == CONF_GROUP && has_node(m, n)))
			return true;
	}
	return false;
}

/* Returns the name of the profile that a host has the node from, or NULL: hosts share the
 * nodes of their profiles. */
static const char *profile_of(const struct rack_settings *s, const struct conf_node *n)
{
	const struct conf_node *profiles = conf_member(conf_root(s->written), "profiles");

	for (size_t i = 0; n && i < conf_len(profiles); i++)
		if (has_node(conf_at(profiles, i), n))
			return conf_key(conf_at(profiles, i));
	return NULL;
}

/* Prints a setting with its origin; line 0: the file has none. `n` is its node in the
 * host's group, or NULL. */
static void print(const struct rack_settings *s, const struct conf_node *n,
		  const char *setting, const char *file, unsigned line)
{
	const char *profile = profile_of(s, n);
	_cleanup_free_ char *where =
		line ? xasprintf("%s:%u", file, line) : xstrdup(file);

	out_line("%-*s # %s%s%s%s", ORIGIN_COLUMN - 1, setting, where,
		 profile ? " (profile '" : "", profile ? profile : "",
		 profile ? "')" : "");
}

/* Prints a member of the host's group, else of the cluster's, if there is one. */
static void print_member(const struct rack_settings *s, const struct conf_node *host,
			 const struct conf_node *cluster, const char *prefix,
			 const char *key)
{
	const struct conf_node *n = conf_member(host, key);
	_cleanup_free_ char *setting = NULL, *value = NULL;

	if (!n)
		n = conf_member(cluster, key);
	if (!n)
		return;
	value = conf_value_text(n);
	setting = xasprintf("%s%s = %s;", prefix, key, value);
	print(s, n, setting, conf_file(n), conf_line(n));
}

static void print_host(const struct rack_settings *s, const struct rack_host *h,
		       const struct conf_node *host)
{
	static const char *const keys[] = {"cmdline", "state_disk", "serial", "uuid"};
	static const char *const vm_keys[] = {"memory", "cpus", "disk", "nics"};
	const struct conf_node *cluster =
		conf_member(conf_root(rack_settings_flat(s)), "cluster");

	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		_cleanup_free_ char *value = host_format_public(&h->host, id);
		_cleanup_free_ char *setting = NULL;
		const struct origin *o = &h->host.origin[id];

		if (!*value)
			continue;
		setting = xasprintf("%s = %s;", host_key(id)->name, value);
		print(s, conf_member(host, host_key(id)->name), setting,
		      o->file ? o->file : "default", o->line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		print_member(s, host, cluster, "", keys[i]);
	for (size_t i = 0; i < ARRAY_SIZE(vm_keys); i++)
		print_member(s, conf_member(host, "vm"), conf_member(cluster, "vm"),
			     "vm.", vm_keys[i]);
}

/* Returns true for a host's name or MAC address, which a machine's console shows. */
static bool is_host(const struct host *h, const char *word)
{
	struct mac mac;

	return streq(h->name, word) || (net_parse_mac(word, &mac) == 0 &&
					memcmp(&mac, &h->mac, sizeof(mac)) == 0);
}

static int print_explained(struct check_printer *p, const struct checked *f,
			   struct err *e)
{
	const struct rack *r = f->rack;
	_cleanup_free_ const char **names = NULL;
	_cleanup_free_ char *hint = NULL;
	const struct conf_node *hosts;

	if (!r)
		return 0;
	hosts = conf_member(conf_root(rack_settings_flat(f->settings)), "hosts");
	names = xcalloc(r->n_hosts + 1, sizeof(*names));
	for (size_t i = 0; i < r->n_hosts; i++) {
		names[i] = r->hosts[i].host.name;
		if (is_host(&r->hosts[i].host, p->arg)) {
			print_host(f->settings, &r->hosts[i], conf_at(hosts, i));
			return 0;
		}
	}
	hint = str_hint(str_nearest_name(p->arg, names));
	return err_set(e, ERR_USAGE, "check: option '--explain': %s has no host '%s'%s",
		       f->path, p->arg, hint);
}

const struct check_output check_explain = {
	.option = "explain",
	.id = OPT_EXPLAIN,
	.one_file = true,
	.file = print_explained,
};
