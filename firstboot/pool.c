/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot pool`: the pod network as Calico's address pool, written to etcd as
 * calicoctl 0.4.8 writes it (calico_containers/adapter/datastore.py: key with '-' for
 * '/', value
 * {"cidr": "..."}). Only if the key is not there: etcd decides (prevExist=false), so two
 * masters or two boots do not race, and flags that an operator gave the pool stay.
 *
 * Limit: a pool that another pod_network left is not removed; addresses in use may be
 * from it.
 */
#include "pool.h"
#include "config.h"
#include "http.h"
#include "lib/log.h"

#define POOL_S       600 /* --timeout */
#define PAUSE_MS     500
#define PAUSE_MAX_MS 5000

#define ETCD_CREATED 201
#define ETCD_EXISTS  412 /* Precondition Failed: prevExist=false did not hold */

char *pool_url(uint32_t etcd, uint16_t port, struct cidr pool)
{
	char addr[NET_ADDR_LEN], net[NET_ADDR_LEN];

	return xasprintf("http://%s:%u/v2/keys/calico/v1/ipam/v4/pool/%s-%u",
			 net_format_addr(etcd, addr), port,
			 net_format_addr(pool.addr, net), pool.prefix);
}

/* Blanks and the backslashes of JSON within JSON make no difference to what is meant. */
static char *squeeze(const char *body)
{
	_cleanup_buf_ struct buf b = {0};

	for (; *body; body++)
		if (!strchr(" \\", *body))
			buf_add(&b, body, 1);
	return buf_take(&b);
}

bool pool_is(const char *body, struct cidr pool)
{
	_cleanup_free_ char *text = squeeze(body), *want = NULL;
	char net[NET_CIDR_LEN];

	want = xasprintf("\"cidr\":\"%s\"", net_format_cidr(pool, net));
	return strstr(text, want) != NULL;
}

/* 1: added, 0: was there, -1: try again. */
static int pool_add(const char *url, struct cidr pool, struct err *e)
{
	_cleanup_free_ char *put = xasprintf("%s?prevExist=false", url), *field = NULL,
			    *body = NULL;
	char net[NET_CIDR_LEN];
	unsigned wrote, status;

	field = xasprintf("value={\"cidr\": \"%s\"}", net_format_cidr(pool, net));
	if (http_put_form(put, field, &wrote, e) < 0)
		return -1;
	if (wrote != ETCD_CREATED && wrote != ETCD_EXISTS)
		return err_set(e, ERR_FAILED, "etcd answered %u to PUT %s", wrote, put);
	if (http_get(url, &status, &body, e) < 0)
		return -1;
	if (status != 200 || !pool_is(body, pool))
		return err_set(e, ERR_FAILED,
			       "etcd answered %u to GET %s, without the pool %s", status,
			       url, net);
	return wrote == ETCD_CREATED;
}

int cmd_pool(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	_cleanup_config_ struct config c = {0};
	_cleanup_free_ char *url = NULL;
	const struct host *h = &c.host;
	unsigned pause = PAUSE_MS;
	char net[NET_CIDR_LEN];
	uint64_t end;
	int r;

	if (config_load(&c, fb) < 0)
		return config_err(&c, "this host", e);
	if (!c.role->master) {
		log_info("the master adds the pool; role '%s' has nothing to do",
			 c.role->name);
		return 0;
	}
	url = pool_url(h->etcd_addr, h->etcd_port, h->pod_network);
	end = now_ms() + (uint64_t)(fb->timeout ? fb->timeout : POOL_S) * 1000;
	while ((r = pool_add(url, h->pod_network, e)) < 0) {
		if (now_ms() + pause >= end)
			return err_wrap(e, "pool");
		sleep_ms(pause);
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
	log_info("pool %s %s", net_format_cidr(h->pod_network, net),
		 r ? "added" : "is there already");
	return 0;
}
