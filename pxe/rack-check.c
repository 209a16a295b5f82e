/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds duplicates by sorting the hosts' indexes by the value in question: O(n log n) for
 * n hosts. Results are stored per host and reported in the file's order; each complaint
 * names the earlier host that has the same value.
 *
 * Limit: for a host that collides with several others, only one of them is named.
 */
#include "pxe/rack-check.h"

#include "pxe/feature.h"

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

int rack_complain(const struct rack *r, size_t i, size_t other, enum host_key_id id,
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
		ret = rack_complain(r, i, first[i], u->id, what, d);
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

/* Checks that no two hosts have the same serial or uuid, in upper or lower case. Returns
 * 0 or -1. */
static int check_identity(const struct loader *l, const char *key, size_t offset)
{
	_cleanup_free_ size_t *first = xcalloc(l->rack->n_hosts + 1, sizeof(*first));
	_cleanup_intern_ struct intern seen = {0};
	int ret = 0;

	for (size_t i = 0; i < l->rack->n_hosts; i++) {
		const struct rack_host *h = &l->rack->hosts[i], *other;
		_cleanup_free_ char *text = xstrdup(*(char **)((char *)h + offset));
		bool is_new = false;
		size_t n;

		for (char *c = text; c && *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		if (!text)
			continue;
		n = intern(&seen, text, &is_new);
		if (is_new)
			first[n] = i;
		other = &l->rack->hosts[first[n]];
		if (!is_new)
			ret = diag_add(l->d,
				       "%s:%u: host '%s': %s %s is also host '%s' (line "
				       "%u)",
				       l->rack->file, h->line,
				       h->host.name ? h->host.name : "?", key, text,
				       other->host.name ? other->host.name : "?",
				       other->line);
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
