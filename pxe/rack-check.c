/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds duplicates by sorting the hosts' indexes by the value in question, and overlaps
 * by sorting networks by their first address and going through them once: O(n log n) for
 * n hosts. Results are stored per host and reported in the file's order; each complaint
 * names the earlier host that has the same value.
 *
 * Limit: for a host that collides with several others, only one of them is named.
 */
#include "pxe/rack-check.h"

#include "firstboot/model/conf-note.h"

#define NOBODY SIZE_MAX

static const struct host *host_at(const struct rack *r, size_t i)
{
	return &r->hosts[i].host;
}

/* Writes "line 22" to `out`, or "b.cfg:22" if that is another file than `file`. Returns
 * `out`. */
static const char *other_place(const struct host *h, enum host_key_id id,
			       const char *file, char *out, size_t size)
{
	const struct origin *o = &h->origin[id];

	if (o->line && o->file && streq(o->file, file))
		snprintf(out, size, "line %u", o->line);
	else
		host_where(h, id, out, size);
	return out;
}

/* Adds "a.cfg:41: host 'node-7': WHAT host 'node-3' (line 22)". Returns -1. */
static int complain(const struct rack *r, size_t i, size_t other, enum host_key_id id,
		    const char *what, struct diag *d)
{
	const struct host *h = host_at(r, i), *o = host_at(r, other);
	char where[512], there[512];

	return diag_add(d, "%s: host '%s': %s host '%s' (%s)",
			host_where(h, id, where, sizeof(where)), h->name, what, o->name,
			other_place(o, id, h->origin[id].file ? h->origin[id].file : "",
				    there, sizeof(there)));
}

/* --- duplicates ------------------------------------------------------------------- */

struct unique {
	enum host_key_id id;
	bool (*has)(const struct host *h);
	int (*compare)(const struct host *a, const struct host *b);
	void (*format)(const struct host *h, char *out, size_t size);
};

static bool has_name(const struct host *h)
{
	return h->name && !h->bad[HOST_NAME];
}

static int compare_name(const struct host *a, const struct host *b)
{
	return strcmp(a->name, b->name);
}

static void format_name(const struct host *h _unused_, char *out, size_t size)
{
	snprintf(out, size, "name is also that of");
}

static bool has_mac(const struct host *h)
{
	return h->has_mac && !h->bad[HOST_MAC];
}

static int compare_mac(const struct host *a, const struct host *b)
{
	return memcmp(a->mac.b, b->mac.b, sizeof(a->mac.b));
}

static void format_mac(const struct host *h, char *out, size_t size)
{
	char mac[NET_MAC_LEN];

	snprintf(out, size, "mac %s is also", net_format_mac(h->mac, ':', mac));
}

static bool has_address(const struct host *h)
{
	return h->address.prefix && !h->dhcp && !h->bad[HOST_ADDRESS];
}

static int compare_address(const struct host *a, const struct host *b)
{
	return (a->address.addr > b->address.addr) - (a->address.addr < b->address.addr);
}

static void format_address(const struct host *h, char *out, size_t size)
{
	char addr[NET_ADDR_LEN];

	snprintf(out, size, "address %s is also", net_format_addr(h->address.addr, addr));
}

static const struct unique uniques[] = {
	{HOST_NAME, has_name, compare_name, format_name},
	{HOST_MAC, has_mac, compare_mac, format_mac},
	{HOST_ADDRESS, has_address, compare_address, format_address},
};

struct order {
	const struct rack *r;
	const struct unique *u;
};

static int compare_index(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int by_value(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int c = o->u->compare(host_at(o->r, i), host_at(o->r, j));

	return c ? c : compare_index(i, j);
}

static int check_unique(const struct rack *r, const struct unique *u, struct diag *d)
{
	_cleanup_free_ size_t *order = xcalloc(r->n_hosts + 1, sizeof(*order));
	_cleanup_free_ size_t *first = xcalloc(r->n_hosts + 1, sizeof(*first));
	struct order how = {.r = r, .u = u};
	size_t n = 0;
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		first[i] = NOBODY;
		if (u->has(host_at(r, i)))
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), by_value, &how);
	for (size_t k = 1; k < n; k++) {
		size_t i = order[k], before = order[k - 1];

		if (u->compare(host_at(r, i), host_at(r, before)) == 0)
			first[i] = first[before] == NOBODY ? before : first[before];
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		char what[64];

		if (first[i] == NOBODY)
			continue;
		u->format(host_at(r, i), what, sizeof(what));
		ret = complain(r, i, first[i], u->id, what, d);
	}
	return ret;
}

/* --- overlapping cbr0s ------------------------------------------------------------ */

static int by_start(const void *a, const void *b, void *arg)
{
	const struct rack *r = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	uint32_t x = net_network(host_at(r, i)->cbr0),
		 y = net_network(host_at(r, j)->cbr0);

	return x != y ? (x > y) - (x < y) : compare_index(i, j);
}

static int check_cbr0(const struct rack *r, struct diag *d)
{
	_cleanup_free_ size_t *order = xcalloc(r->n_hosts + 1, sizeof(*order));
	_cleanup_free_ size_t *first = xcalloc(r->n_hosts + 1, sizeof(*first));
	size_t n = 0, reach = 0;
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		first[i] = NOBODY;
		if (host_at(r, i)->cbr0.prefix && !host_at(r, i)->bad[HOST_CBR0])
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), by_start, (void *)(uintptr_t)r);
	for (size_t k = 1; k < n; k++) {
		struct cidr here = host_at(r, order[k])->cbr0;
		struct cidr far = host_at(r, order[reach])->cbr0;
		size_t a = order[k], b = order[reach];

		if (net_network(here) <= net_broadcast(far))
			first[a > b ? a : b] = a > b ? b : a;
		if (net_broadcast(here) > net_broadcast(far))
			reach = k;
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		char what[128], mine[NET_CIDR_LEN], its[NET_CIDR_LEN];

		if (first[i] == NOBODY)
			continue;
		snprintf(what, sizeof(what), "cbr0 %s overlaps %s, the cbr0 of",
			 net_format_cidr(host_at(r, i)->cbr0, mine),
			 net_format_cidr(host_at(r, first[i])->cbr0, its));
		ret = complain(r, i, first[i], HOST_CBR0, what, d);
	}
	return ret;
}

/* --- the master ------------------------------------------------------------------- */

static const char *nearest_name(const struct rack *r, const char *text)
{
	_cleanup_free_ const char **names = xcalloc(r->n_hosts + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (has_name(host_at(r, i)))
			names[n++] = host_at(r, i)->name;
	return str_nearest_name(text, names);
}

static int master_unknown(const struct rack *r, const struct rack_master *m,
			  struct diag *d)
{
	const char *near = nearest_name(r, m->text);

	if (near)
		return diag_add(
			d,
			"%s:%u: cluster: master '%s' is no host of this rack%s (did "
			"you mean '%s'?)",
			m->file, m->line, m->text, conf_value_note(m->text), near);
	return diag_add(d,
			"%s:%u: cluster: master '%s' is no host of this rack and no "
			"IPv4 address%s",
			m->file, m->line, m->text, conf_value_note(m->text));
}

int rack_master_find(const struct rack *r, struct rack_master *m, struct diag *d)
{
	uint32_t addr = 0;

	m->host = NOBODY;
	if (net_parse_addr(m->text, &addr) == 0) {
		m->address = addr;
		for (size_t i = 0; i < r->n_hosts && m->host == NOBODY; i++)
			if (has_address(host_at(r, i)) &&
			    host_at(r, i)->address.addr == addr)
				m->host = i;
		m->outside = m->host == NOBODY;
		return 0;
	}
	for (size_t i = 0; i < r->n_hosts && m->host == NOBODY; i++)
		if (has_name(host_at(r, i)) && streq(host_at(r, i)->name, m->text))
			m->host = i;
	if (m->host == NOBODY)
		return master_unknown(r, m, d);
	if (host_at(r, m->host)->dhcp)
		return diag_add(d,
				"%s:%u: cluster: master '%s' has its address from DHCP: "
				"the master's address must be fixed",
				m->file, m->line, m->text);
	if (has_address(host_at(r, m->host)))
		m->address = host_at(r, m->host)->address.addr;
	return 0;
}

bool rack_master_disagrees(const struct rack *r, size_t i, const struct roles *roles,
			   const struct rack_master *m)
{
	const struct host *h = host_at(r, i);
	const struct role *role =
		h->role && !h->bad[HOST_ROLE] ? roles_find(roles, h->role) : NULL;

	if (!role || (!m->outside && m->host == NOBODY))
		return false; /* reported already */
	return role->master != (i == m->host);
}

static int check_master(const struct rack *r, const struct roles *roles,
			const struct rack_master *m, struct diag *d)
{
	char where[512];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = host_at(r, i);

		if (!rack_master_disagrees(r, i, roles, m))
			continue;
		host_where(h, HOST_ROLE, where, sizeof(where));
		if (i == m->host)
			ret = diag_add(
				d,
				"%s: host '%s': is the cluster's master (line %u), "
				"but the role '%s' is not a master's",
				where, h->name ? h->name : "?", m->line, h->role);
		else
			ret = diag_add(d,
				       "%s: host '%s': role '%s' is a master's, but the "
				       "cluster's master is '%s' (line %u)",
				       where, h->name ? h->name : "?", h->role, m->text,
				       m->line);
	}
	return ret;
}

/* --- all checks ------------------------------------------------------------------- */

static int check_boot_server(const struct rack *r, struct diag *d)
{
	char where[512], addr[NET_ADDR_LEN];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = host_at(r, i);

		if (!r->boot_server || !has_address(h) ||
		    h->address.addr != r->boot_server)
			continue;
		host_where(h, HOST_ADDRESS, where, sizeof(where));
		ret = diag_add(d, "%s: host '%s': address %s is the boot server's", where,
			       h->name ? h->name : "?",
			       net_format_addr(r->boot_server, addr));
	}
	return ret;
}

int rack_check(const struct rack *r, const struct roles *roles,
	       const struct rack_master *m, struct diag *d)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(uniques); i++)
		if (check_unique(r, &uniques[i], d) < 0)
			ret = -1;
	if (check_cbr0(r, d) < 0)
		ret = -1;
	if (rack_check_network(r, d) < 0)
		ret = -1;
	if (check_boot_server(r, d) < 0)
		ret = -1;
	if (check_master(r, roles, m, d) < 0)
		ret = -1;
	return ret;
}
