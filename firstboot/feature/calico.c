/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot pool` writes Calico's address pools and BGP settings to etcd as calicoctl
 * 0.4.8 does (calico_containers/adapter/datastore.py). The master writes the settings of
 * the cluster; every host writes its own peers, because only its own host.cfg has them.
 *
 * The cluster's settings are written before the pools, because calico-node waits for the
 * pools and then needs the settings. This host's own peers are written last, after
 * calico-node has written the host's bird_ip. A key with the right value is not written;
 * other members of the value are kept, such as flags that an operator gave a pool.
 * Settings that the configuration does not have (bgp_as, bgp_mesh) are not changed.
 *
 * Limit: pools and peers of an earlier configuration are not removed, because addresses
 * of the pool may be in use and the operator may have added the peer.
 */
#include "firstboot/feature/calico.h"
#include "firstboot/config.h"
#include "firstboot/feature.h"
#include "firstboot/feature/etcd.h"
#include "lib/log.h"

#define POOL_S       600 /* --timeout */
#define PAUSE_MS     500
#define PAUSE_MAX_MS 5000

int calico_host_is_known(const struct host *h, struct err *e)
{
	_cleanup_free_ char *key = xasprintf(CALICO_KEYS "/host/%s/bird_ip", h->name);

	return etcd_has(h->f.kubernetes.etcd, key, e);
}

/* Tries once to write a key. Returns 1 when it was written, 0 when it was right, or -1
 * with the reason. */
static int try_key(const struct host *h, const struct calico_key *k, struct err *e)
{
	if (k->own) {
		int r = calico_host_is_known(h, e);

		if (r == 0)
			err_set(e, ERR_FAILED,
				"calico-node has not written " CALICO_KEYS
				"/host/%s/bird_ip yet",
				h->name);
		if (r <= 0)
			return -1;
	}
	return etcd_ensure(h->f.kubernetes.etcd, k->key, k->want, e);
}

/* Tries until etcd has the key, or until `end`. Logs each new reason why it has not. */
static int ensure(const struct host *h, const struct calico_key *k, uint64_t end,
		  struct err *e)
{
	_cleanup_free_ char *reason = NULL;
	unsigned pause = PAUSE_MS;
	int r;

	while ((r = try_key(h, k, e)) < 0) {
		if (now_ms() + pause >= end)
			return err_wrap(e, "pool: %s", k->what);
		if (!reason || !streq(reason, e->msg)) {
			log_info("%s waits: %s", k->what, e->msg);
			free(reason);
			reason = xstrdup(e->msg);
		}
		sleep_about_ms(pause);
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
	log_info("%s %s", k->what, r ? "written" : "is right already");
	return 0;
}

int cmd_pool(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	_cleanup_calico_keys_ struct calico_keys keys = {0};
	_cleanup_config_ struct config c = {0};
	uint64_t end;

	if (config_load(&c, fb) < 0)
		return config_err(&c, "this host", e);
	calico_keys_make(&keys, &c.host, c.role);
	if (keys.n == 0)
		log_info("the master adds the pools; role '%s' has nothing to do",
			 c.role->name);
	end = now_ms() + (uint64_t)(fb->timeout ? fb->timeout : POOL_S) * 1000;
	for (size_t i = 0; i < keys.n; i++)
		if (ensure(&c.host, &keys.v[i], end, e) < 0)
			return -1;
	return 0;
}

/* --- the feature -------------------------------------------------------------------- */

#define HEAL_MAX_MS 60000 /* after this time no further key of a slow etcd is read */

/* Restores keys that etcd lost. Does nothing when etcd does not answer, because
 * `firstboot pool` waits for it, and leaves out this host's own keys until calico-node
 * has registered the host. */
static int heal(const struct firstboot *fb _unused_, const struct config *c,
		struct err *e _unused_)
{
	_cleanup_calico_keys_ struct calico_keys k = {0};
	const struct hostport etcd = c->host.f.kubernetes.etcd;
	uint64_t end = now_ms() + HEAL_MAX_MS;
	struct err one;

	calico_keys_make(&k, &c->host, c->role);
	for (size_t i = 0; i < k.n && now_ms() < end; i++) {
		int r = k.v[i].own ? calico_host_is_known(&c->host, &one) : 1;

		if (r <= 0)
			return 0; /* this host's own keys are the last */
		r = etcd_ensure(etcd, k.v[i].key, k.v[i].want, &one);
		if (r < 0)
			return 0;
		if (r > 0)
			log_warn("%s was missing in etcd and has been restored",
				 k.v[i].what);
	}
	return 0;
}

static char *subject(const struct host *h)
{
	return xstrdup(h->name);
}

static char *server(const struct host *h)
{
	char text[NET_HOSTPORT_LEN];

	return xstrdup(net_format_hostport(h->f.kubernetes.etcd, text));
}

static enum registration_state look(const struct host *h)
{
	struct err e;
	int r = calico_host_is_known(h, &e);

	return r > 0    ? REGISTRATION_PRESENT
	       : r == 0 ? REGISTRATION_ABSENT
			: REGISTRATION_UNKNOWN;
}

/* calico-node's host. */
static const struct registration registration = {"calico", CALICO_NODE, "etcd",
						 subject,  server,      look};

const struct feature_code code_calico = {
	.id = FEATURE_CALICO,
	.heal = heal,
	.registration = &registration,
};
