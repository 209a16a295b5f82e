/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot heal`, run by a timer: what the cluster's own programs do not mend.
 *
 * The NAT rules are put back if something flushed them, and Calico's pools and peers if
 * etcd lost them. And the kubelet of 0.20.2
 * registers only when it starts: when the API server answers but does not know this node
 * (its etcd was lost), the kubelet is restarted. Not one that has started only lately; it
 * is about to register.
 *
 * Exits 0 when there is nothing to mend or it was mended; an API server that does not
 * answer is nothing to mend here.
 */
#include "config.h"
#include "etcd.h"
#include "http.h"
#include "lib/log.h"
#include "lib/run.h"
#include "nat.h"
#include "plan.h"
#include "pool.h"
#include "units.h"
#include "uplink.h"

#include <time.h>

#define KUBELET        "kube-kubelet.service"
#define API_PORT       8080
#define REGISTERS_IN_S 30 /* a kubelet that has run less is left alone */

static int heal_nat(const struct firstboot *fb, const struct config *c, struct err *e)
{
	_cleanup_plan_ struct plan p = {0};
	_cleanup_free_ char *uplink = NULL;
	int r;

	if (uplink_wait(fb, &c->host, &uplink, e) < 0)
		return -1;
	plan_make(&p, &c->host, c->role, uplink);
	if (!p.rules)
		return 0;
	r = nat_apply(p.nat, e);
	if (r > 0)
		log_warn("the NAT rules were not as they should be and are again");
	return r < 0 ? -1 : 0;
}

/* What Calico is to know, after an etcd that lost it. One that does not answer is for
 * `firstboot pool` to wait for. */
static void heal_pool(const struct config *c)
{
	const struct etcd at = {.addr = c->host.etcd_addr, .port = c->host.etcd_port};
	_cleanup_calico_keys_ struct calico_keys k = {0};
	struct err e;

	calico_keys_make(&k, &c->host, c->role);
	for (size_t i = 0; i < k.n; i++) {
		int r = etcd_ensure(&at, k.v[i].key, k.v[i].want, &e);

		if (r < 0)
			return;
		if (r > 0)
			log_warn("%s was not in etcd and is again", k.v[i].what);
	}
}

/* Whether the API server answers and this node is not one of its nodes. */
static bool forgotten(const struct host *h)
{
	char master[NET_ADDR_LEN], self[NET_ADDR_LEN];
	_cleanup_free_ char *nodes = NULL, *node = NULL;
	unsigned status;
	struct err e;

	nodes = xasprintf("http://%s:%u/api/v1/nodes", net_format_addr(h->master, master),
			  API_PORT);
	node = xasprintf("%s/%s", nodes, net_format_addr(h->address.addr, self));
	if (http_get(node, &status, NULL, &e) < 0 || status != 404)
		return false;
	/* A server that is starting up answers 404 to everything. */
	return http_get(nodes, &status, NULL, &e) == 0 && status == 200;
}

static bool runs_long_enough(const struct unit *u)
{
	struct timespec t;
	uint64_t now;

	if (!streq(u->active, "active"))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	return now > u->active_since_us + REGISTERS_IN_S * 1000000ULL;
}

static int heal_kubelet(const struct config *c, struct err *e)
{
	static const char *const restart[] = {"systemctl", "restart", KUBELET, NULL};
	char *const name[] = {(char[]){KUBELET}, NULL};
	_cleanup_units_ struct units u = {0};

	if (!strv_has(c->role->units, KUBELET))
		return 0;
	if (units_query(&u, name, e) < 0)
		return -1;
	if (!runs_long_enough(&u.v[0]) || !forgotten(&c->host))
		return 0;
	log_warn("the API server does not know this node: restarting " KUBELET);
	return run_argv(restart, e);
}

int cmd_heal(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	_cleanup_config_ struct config c = {0};
	struct err nat;
	int r;

	if (config_load(&c, fb) < 0)
		return config_err(&c, "this host", e);
	r = heal_nat(fb, &c, &nat);
	heal_pool(&c);
	if (heal_kubelet(&c, e) < 0)
		return -1;
	return r < 0 ? err_set(e, nat.code, "%s", nat.msg) : 0;
}
