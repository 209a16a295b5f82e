/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses in the cluster group that may be the names of hosts. They are found when all
 * hosts are loaded, and every host with the key's feature gets the address.
 */
#include "firstboot/model/conf-note.h"
#include "firstboot/model/feature.h"
#include "pxe/rack-parts.h"

/* Returns true when a role of the image has the key. */
static bool has_feature(const struct loader *l, enum host_key_id id)
{
	const struct feature *f = feature_of_key(id);

	return !f || roles_features(l->roles) & FEATURE_BIT(f->id);
}

void rack_named_load(struct loader *l)
{
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		const struct host_key *k = host_key(id);
		const struct conf_node *n = conf_member(l->cluster, k->name);
		const char *s = NULL;

		if (!n || !k->names_host || !has_feature(l, id))
			continue;
		if (conf_str(n, &s, NULL) < 0 || !*s) {
			l->r = conf_complain(n, l->d,
					     "cluster: %s: must be a host's name or an "
					     "IPv4 address",
					     k->name);
			continue;
		}
		l->named[l->n_named++] = (struct rack_named){
			.key = k,
			.text = s,
			.file = conf_file(n),
			.line = conf_line(n),
			.host = NO_HOST,
		};
	}
}

static const char *nearest_name(const struct rack *r, const char *text)
{
	_cleanup_free_ const char **names = xcalloc(r->n_hosts + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (host_has_name(rack_host_at(r, i)))
			names[n++] = rack_host_at(r, i)->name;
	return str_nearest_name(text, names);
}

static struct diag_place place_of(const struct rack_named *m)
{
	return (struct diag_place){.file = m->file, .line = m->line};
}

static int unknown(const struct rack *r, const struct rack_named *m, struct diag *d)
{
	const char *near = nearest_name(r, m->text);
	const struct diag_place at = place_of(m);

	if (near)
		return diag_add_at(d, &at,
				   "cluster: %s '%s' is no host of this rack%s (did you "
				   "mean '%s'?)",
				   m->key->name, m->text, conf_value_note(m->text), near);
	return diag_add_at(d, &at,
			   "cluster: %s '%s' is no host of this rack and no IPv4 "
			   "address%s",
			   m->key->name, m->text, conf_value_note(m->text));
}

static void find_address(const struct rack *r, struct rack_named *m)
{
	for (size_t i = 0; i < r->n_hosts && m->host == NO_HOST; i++)
		if (host_has_fixed_address(rack_host_at(r, i)) &&
		    rack_host_at(r, i)->address.addr == m->address)
			m->host = i;
	m->outside = m->host == NO_HOST;
}

/* Returns 0, or -1 with a complaint. */
static int find(const struct loader *l, struct rack_named *m, struct diag *d)
{
	const struct diag_place at = place_of(m);
	const struct rack *r = l->rack;

	if (net_parse_addr(m->text, &m->address) == 0) {
		if (!net_is_machine(m->address))
			return diag_add_at(
				d, &at, "cluster: %s: %s cannot be a machine's address",
				m->key->name, m->text);
		m->known = true;
		find_address(r, m);
		return 0;
	}
	for (size_t i = 0; i < r->n_hosts && m->host == NO_HOST; i++)
		if (host_has_name(rack_host_at(r, i)) &&
		    streq(rack_host_at(r, i)->name, m->text))
			m->host = i;
	if (m->host == NO_HOST)
		return l->incomplete ? -1 : unknown(r, m, d);
	if (rack_host_at(r, m->host)->dhcp)
		return diag_add_at(d, &at,
				   "cluster: %s '%s' has its address from DHCP: the "
				   "%s's address must be fixed",
				   m->key->name, m->text, m->key->name);
	m->known = host_has_fixed_address(rack_host_at(r, m->host));
	if (m->known)
		m->address = rack_host_at(r, m->host)->address.addr;
	return 0;
}

void rack_named_find(struct loader *l)
{
	for (size_t i = 0; i < l->n_named && l->rack->n_hosts; i++)
		if (find(l, &l->named[i], l->d) < 0)
			l->r = -1;
}

void rack_named_give(struct loader *l, size_t i, struct diag *d)
{
	struct host *h = &l->rack->hosts[i].host;
	char addr[NET_ADDR_LEN];

	for (size_t n = 0; n < l->n_named; n++) {
		const struct rack_named *m = &l->named[n];
		enum host_key_id id = m->key->id;

		if (!m->known)
			h->bad[id] = true; /* reported for the cluster */
		if (h->set[id] || !m->known)
			continue;
		if (host_set(h, m->key->name, net_format_addr(m->address, addr), m->file,
			     m->line, d) < 0)
			l->r = -1;
		h->shared[id] = true;
	}
}

const struct rack_named *rack_named_get(const struct loader *l, enum host_key_id id)
{
	for (size_t i = 0; i < l->n_named; i++)
		if (l->named[i].key->id == id)
			return &l->named[i];
	return NULL;
}
