/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/plan/feature/calico.h"
#include "firstboot/model/feature/bgp.h"
#include "firstboot/plan/feature.h"
#include "lib/text.h"

/* confd reads numbers as float64 and prints those from 1000000 with an exponent,
 * "4.2e+09" (Go's text/template and fmt), which BIRD refuses. A string is printed
 * unchanged. */
#define AS_AS_FLOAT 1000000

/* Adds a key, which owns the three strings from then on. Returns it. */
static struct calico_key *add(struct calico_keys *k, char *key, char *want, char *what)
{
	k->v = xgrow(k->v, k->n, sizeof(*k->v));
	k->v[k->n] = (struct calico_key){.key = key, .want = want, .what = what};
	return &k->v[k->n++];
}

static void add_peers(struct calico_keys *k, char *const *peers, const char *where,
		      bool own)
{
	char addr[NET_ADDR_LEN];
	struct bgp_peer p;
	const char *quote;

	for (size_t i = 0; peers && peers[i]; i++) {
		if (bgp_peer_parse(peers[i], &p) < 0)
			continue; /* host_check has complained */
		net_format_addr(p.addr, addr);
		quote = p.as < AS_AS_FLOAT ? "" : "\"";
		add(k, xasprintf(CALICO_KEYS "/%s/bgp_peer_v4/%s", where, addr),
		    xasprintf("{\"ip\": \"%s\", \"as_num\": %s%u%s}", addr, quote, p.as,
			      quote),
		    xasprintf("BGP peer %s", peers[i]))
			->own = own;
	}
}

static void add_pools(struct calico_keys *k, char *const *pools)
{
	char net[NET_CIDR_LEN], addr[NET_ADDR_LEN];
	struct bgp_pool p;

	for (size_t i = 0; pools && pools[i]; i++) {
		if (bgp_pool_parse(pools[i], &p) < 0)
			continue;
		add(k,
		    xasprintf(CALICO_KEYS "/ipam/v4/pool/%s-%u",
			      net_format_addr(p.net.addr, addr), p.net.prefix),
		    xasprintf("{\"cidr\": \"%s\"%s%s}", net_format_cidr(p.net, net),
			      p.ipip ? ", \"ipip\": \"tunl0\"" : "",
			      p.nat_outgoing ? ", \"masquerade\": true" : ""),
		    xasprintf("pool %s", pools[i]));
	}
}

void calico_keys_make(struct calico_keys *ret, const struct host *h,
		      const struct role *role)
{
	_cleanup_free_ char *host = xasprintf("host/%s", h->name);
	const struct calico *c = &h->f.calico;
	bool master = role_has(role, FEATURE_KUBERNETES_MASTER);

	*ret = (struct calico_keys){0};
	if (!role_has(role, FEATURE_CALICO))
		return;
	if (master && c->as)
		add(ret, xstrdup(CALICO_KEYS "/config/bgp_as"), xasprintf("%u", c->as),
		    xasprintf("AS number %u", c->as));
	if (master && h->set[HOST_BGP_MESH])
		add(ret, xstrdup(CALICO_KEYS "/config/bgp_node_mesh"),
		    xasprintf("{\"enabled\": %s}", c->mesh ? "true" : "false"),
		    xasprintf("BGP node mesh %s", c->mesh ? "(on)" : "(off)"));
	if (master)
		add_peers(ret, c->peers, "config", false);
	if (master)
		add_pools(ret, c->pools);
	if (strv_has(role->units, CALICO_NODE)) /* else its bird_ip is never written */
		add_peers(ret, c->node_peers, host, true);
}

void calico_keys_done(struct calico_keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->v[i].key);
		free(k->v[i].want);
		free(k->v[i].what);
	}
	free(k->v);
	*k = (struct calico_keys){0};
}

/* --- the feature -------------------------------------------------------------------- */

static void remote(struct buf *b, const struct plan *p)
{
	const struct role role = {.units = p->units, .features = p->features};
	_cleanup_calico_keys_ struct calico_keys keys = {0};

	calico_keys_make(&keys, p->host, &role);
	for (size_t i = 0; i < keys.n; i++)
		text_line(b, "etcd %s %s", keys.v[i].key, keys.v[i].want);
}

/* The host's name is calico-node's key in etcd. */
const struct feature_plan plan_calico = {
	.id = FEATURE_CALICO,
	.remote = remote,
	.reads = "etc/hostname",
	.unit = CALICO_NODE,
};
