/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the hosts' pod bridges. Overlaps are found by sorting the bridges by their
 * first address and going through them once: O(n log n) for n hosts.
 *
 * Limit: for a bridge that overlaps several others, only one of them is named.
 */
#include "pxe/feature.h"
#include "pxe/rack-check.h"

static struct cidr cbr0_at(const struct rack *r, size_t i)
{
	return r->hosts[i].host.f.cbr0.address;
}

static int by_start(const void *a, const void *b, void *arg)
{
	const struct rack *r = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	uint32_t x = net_network(cbr0_at(r, i)), y = net_network(cbr0_at(r, j));

	return x != y ? (x > y) - (x < y) : (i > j) - (i < j);
}

/* Complains when there are more hosts with a bridge than the pod network has /24s. */
static int check_room(const struct loader *l)
{
	const struct conf_node *n = conf_member(l->cluster, "pod_network");
	struct cidr pods = {.prefix = 0};
	char text[NET_CIDR_LEN];
	size_t hosts = 0, room;

	for (size_t i = 0; i < l->rack->n_hosts; i++) {
		const struct host *h = rack_host_at(l->rack, i);

		if (!(h->features & FEATURE_BIT(FEATURE_CBR0)))
			continue;
		hosts++;
		if (!h->bad[HOST_POD_NETWORK])
			pods = h->f.pods.network;
	}
	if (!pods.prefix || pods.prefix > 24)
		return 0; /* a wrong one was reported */
	room = (size_t)1 << (24 - pods.prefix);
	if (hosts <= room)
		return 0;
	return conf_complain(n ? n : l->cluster, l->d,
			     "cluster: pod_network %s has %zu networks of /24, but %zu "
			     "hosts need one for cbr0",
			     net_format_cidr(pods, text), room, hosts);
}

static int check_overlaps(const struct loader *l)
{
	const struct rack *r = l->rack;
	_cleanup_free_ size_t *order = xcalloc(r->n_hosts + 1, sizeof(*order));
	_cleanup_free_ size_t *first = xcalloc(r->n_hosts + 1, sizeof(*first));
	size_t n = 0, reach = 0;
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++) {
		first[i] = NO_HOST;
		if (cbr0_at(r, i).prefix && !r->hosts[i].host.bad[HOST_CBR0])
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), by_start, (void *)(uintptr_t)r);
	for (size_t k = 1; k < n; k++) {
		struct cidr here = cbr0_at(r, order[k]);
		struct cidr far = cbr0_at(r, order[reach]);
		size_t a = order[k], b = order[reach];

		if (net_network(here) <= net_broadcast(far))
			first[a > b ? a : b] = a > b ? b : a;
		if (net_broadcast(here) > net_broadcast(far))
			reach = k;
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		char what[128], mine[NET_CIDR_LEN], its[NET_CIDR_LEN];

		if (first[i] == NO_HOST)
			continue;
		snprintf(what, sizeof(what), "cbr0 %s overlaps %s, the cbr0 of",
			 net_format_cidr(cbr0_at(r, i), mine),
			 net_format_cidr(cbr0_at(r, first[i]), its));
		ret = rack_complain(r, i, HOST_CBR0, what, first[i], HOST_CBR0, "", l->d);
	}
	return ret;
}

static int check(const struct loader *l)
{
	int room = check_room(l), overlaps = check_overlaps(l);

	return room < 0 || overlaps < 0 ? -1 : 0;
}

const struct feature_rack rack_cbr0 = {
	.id = FEATURE_CBR0,
	.check = check,
};
