/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks every host as on the node, and then the hosts against each other.
 *
 * Finds duplicates by sorting the hosts' indexes by the value in question: O(n log n) for
 * n hosts. Results are stored per host and reported in the file's order; each complaint
 * names the earlier host that has the same value.
 *
 * Limit: for a host that collides with several others, only one of them is named.
 */
#include "pxe/rack-check.h"

#include "pxe/feature.h"
#include "pxe/owners.h"

/* --- each host -------------------------------------------------------------------- */

/* Checks that host.cfg is not longer than CONF_MAX, which is all that the node reads. */
static void check_size(struct loader *l, const struct rack_host *h)
{
	_cleanup_free_ char *text = host_render(&h->host);
	const struct diag_place at = rack_host_place(h);

	if (strlen(text) > HOST_CFG_MAX)
		l->r = rack_complain_host(
			&h->host, &at, l->d,
			"its host.cfg has %zu bytes, at most %d are allowed",
			strlen(text), HOST_CFG_MAX);
}

static void check_host(struct loader *l, size_t i, struct diag *d)
{
	struct rack_host *h = &l->rack->hosts[i];
	struct host *host = &h->host;

	if (l->name && l->rack->name &&
	    host_set(host, "cluster", l->rack->name, conf_file(l->name),
		     conf_line(l->name), d) < 0)
		l->r = -1;
	rack_named_give(l, i, d);
	/* Reported for the cluster, or by rack_check() with the names of both hosts. */
	for (size_t k = 0; feature_racks[k]; k++)
		if (feature_racks[k]->prepare && !l->roles->any)
			feature_racks[k]->prepare(l, i);
	host_derive(host, l->roles);
	if (host_check(host, l->roles, d) < 0)
		l->r = -1;
	if (host->name && d->n == 0)
		check_size(l, h);
}

/* Moves a complaint of the host to the rack's, with "host 'node-7': " after the file and
 * line unless it already names the host. */
static void report_for_host(struct loader *l, size_t i, struct diag *from, size_t k)
{
	const struct host *h = &l->rack->hosts[i].host;
	const struct diag_place *at = &from->about[k].at;
	const char *text = diag_message(from, k);

	if (!at->file || strstr(text, "host '")) {
		diag_move_line(l->d, from, k);
	} else {
		if (h->name)
			diag_add_at(l->d, at, "host '%s': %s", h->name, text);
		else
			diag_add_at(l->d, at, "host %zu: %s", i + 1, text);
		diag_move_detail(l->d, from, k);
	}
	diag_host(l->d, h->name);
}

void rack_check_each(struct loader *l)
{
	size_t n = l->rack->n_hosts;
	_cleanup_free_ struct diag *d = xcalloc(n + 1, sizeof(*d));
	_cleanup_free_ size_t *count = NULL;
	_cleanup_intern_ struct intern reported = {0}, lines = {0};

	for (size_t i = 0; i < n; i++) {
		check_host(l, i, &d[i]);
		for (size_t k = 0; k < d[i].n; k++)
			intern(&lines, d[i].lines[k], NULL);
	}
	count = xcalloc(lines.n + 1, sizeof(*count));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < d[i].n; k++)
			count[intern(&lines, d[i].lines[k], NULL)]++;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < d[i].n; k++) {
			const char *line = d[i].lines[k];
			bool is_new = true;

			if (n == 1 || count[intern(&lines, line, NULL)] < n) {
				report_for_host(l, i, &d[i], k);
				continue;
			}
			intern(&reported, line, &is_new);
			if (!is_new)
				continue;
			diag_move_line(l->d, &d[i], k);
		}
		diag_done(&d[i]);
	}
}

/* --- comparisons ------------------------------------------------------------------ */

int rack_complain(const struct rack *r, size_t i, enum host_key_id id, const char *what,
		  size_t other, enum host_key_id other_id, const char *why,
		  struct diag *d)
{
	const struct host *h = rack_host_at(r, i), *o = rack_host_at(r, other);
	const struct origin *at = &o->origin[other_id];
	const struct diag_place here = host_place(h, id);
	const struct diag_place there = at->file && at->line
						? host_place(o, other_id)
						: rack_host_place(&r->hosts[other]);
	char text[512];

	rack_complain_host(h, &here, d, "%s host '%s' (%s)%s", what,
			   o->name ? o->name : "?",
			   other_place(there.file, there.line, h->origin[id].file, text,
				       sizeof(text)),
			   why);
	diag_other(d, &there);
	return -1;
}

/* --- duplicates ------------------------------------------------------------------- */

struct unique {
	enum host_key_id id;
	bool (*has)(const struct host *h);
	int (*compare)(const struct host *a, const struct host *b);
	void (*format)(const struct host *h, char *out, size_t size);
};

static int compare_name(const struct host *a, const struct host *b)
{
	return strcmp(a->name, b->name);
}

static void format_name(const struct host *h _unused_, char *out, size_t size)
{
	snprintf(out, size, "name is also that of");
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
	{HOST_NAME, host_has_name, compare_name, format_name},
	{HOST_MAC, host_has_mac, compare_mac, format_mac},
	{HOST_ADDRESS, host_has_fixed_address, compare_address, format_address},
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
	int c = o->u->compare(rack_host_at(o->r, i), rack_host_at(o->r, j));

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
		first[i] = NO_HOST;
		if (u->has(rack_host_at(r, i)))
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), by_value, &how);
	for (size_t k = 1; k < n; k++) {
		size_t i = order[k], before = order[k - 1];

		if (u->compare(rack_host_at(r, i), rack_host_at(r, before)) == 0)
			first[i] = first[before] == NO_HOST ? before : first[before];
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		char what[64];

		if (first[i] == NO_HOST)
			continue;
		u->format(rack_host_at(r, i), what, sizeof(what));
		ret = rack_complain(r, i, u->id, what, first[i], u->id, "", d);
	}
	return ret;
}

/* --- all checks ------------------------------------------------------------------- */

static int check_boot_server(const struct rack *r, struct diag *d)
{
	char addr[NET_ADDR_LEN];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);
		const struct diag_place at = host_place(h, HOST_ADDRESS);

		if (!r->boot_server || !host_has_fixed_address(h) ||
		    h->address.addr != r->boot_server)
			continue;
		ret = rack_complain_host(h, &at, d, "address %s is the boot server's",
					 net_format_addr(r->boot_server, addr));
	}
	return ret;
}

/* Sets the network to that of the first host in whose network the boot server is, or of
 * the first host. */
static void set_network(struct rack *r)
{
	struct cidr *net = &r->network, first = {.prefix = 0};

	for (size_t i = 0; i < r->n_hosts && !net->prefix; i++) {
		const struct host *h = rack_host_at(r, i);

		if (h->dhcp || !h->address.prefix)
			continue;
		if (!first.prefix)
			first = h->address;
		if (net_contains(h->address, r->boot_server))
			*net = h->address;
	}
	if (!net->prefix)
		*net = first;
	net->addr = net_network(*net);
}

void rack_find_network(struct loader *l)
{
	const struct conf_node *n = conf_member(l->cluster, "boot_server");
	struct cidr *net = &l->rack->network;
	struct cidr at = {.addr = l->rack->boot_server};
	char addr[NET_ADDR_LEN], text[NET_CIDR_LEN];

	if (net->prefix)
		return; /* node_network, with which boot_server was compared */
	set_network(l->rack);
	at.prefix = net->prefix;
	if (net->prefix && at.addr && net_contains(*net, at.addr) && !net_is_host(at))
		l->r = conf_complain(n, l->d,
				     "cluster: boot_server %s is the network or "
				     "broadcast address of %s",
				     net_format_addr(at.addr, addr),
				     net_format_cidr(*net, text));
	if (!net->prefix && l->r == 0 && !l->roles->any)
		l->r = conf_complain(l->cluster, l->d,
				     "cluster: node_network is missing: no host has a "
				     "fixed address that would tell the network");
}

/* Checks that no two hosts have the same serial or uuid, in upper or lower case. Returns
 * 0 or -1. */
static int check_identity(const struct loader *l, const char *key, size_t offset)
{
	_cleanup_owners_ struct owners seen = {.host = NULL};
	struct diag_place here, there;
	char place[512];
	int ret = 0;

	for (size_t i = 0; i < l->rack->n_hosts; i++) {
		const struct rack_host *h = &l->rack->hosts[i], *other;
		const char *text = *(char **)((char *)h + offset);
		_cleanup_free_ char *lower = xstrdup(text);
		size_t first;

		for (char *c = lower; c && *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		if (!lower)
			continue;
		first = owner(&seen, lower, i);
		if (first == i)
			continue;
		other = &l->rack->hosts[first];
		here = rack_host_place(h);
		there = rack_host_place(other);
		ret = rack_complain_host(&h->host, &here, l->d,
					 "%s %s is also host '%s' (%s)", key, text,
					 other->host.name ? other->host.name : "?",
					 other_place(there.file, there.line, h->file,
						     place, sizeof(place)));
		diag_other(l->d, &there);
	}
	return ret;
}

int rack_check(const struct loader *l)
{
	const uint32_t set = roles_features(l->roles);
	int ret = 0;

	if (check_identity(l, "serial", offsetof(struct rack_host, serial)) < 0)
		ret = -1;
	if (check_identity(l, "uuid", offsetof(struct rack_host, uuid)) < 0)
		ret = -1;
	for (size_t i = 0; i < ARRAY_SIZE(uniques); i++)
		if (check_unique(l->rack, &uniques[i], l->d) < 0)
			ret = -1;
	if (rack_check_bonds(l->rack, l->d) < 0)
		ret = -1;
	if (check_boot_server(l->rack, l->d) < 0)
		ret = -1;
	for (size_t i = 0; feature_racks[i]; i++)
		if (feature_racks[i]->check && set & FEATURE_BIT(feature_racks[i]->id) &&
		    feature_racks[i]->check(l) < 0)
			ret = -1;
	return ret;
}
