/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot heal`, run by a timer, repairs faults that the cluster's programs do not
 * repair themselves.
 *
 * It restores the NAT rules when they were flushed, and Calico's pools and peers when
 * etcd lost them. It restarts a unit whose registration of this host was lost
 * (registration.h): the kubelet of 0.20.2 and calico-node register only when they start.
 * It never restarts a unit that has not registered in this boot yet, however long that
 * takes.
 *
 * Exits with 0 when nothing was to be repaired or all repairs succeeded. An API server or
 * an etcd that does not answer is not a failure, because it cannot be repaired here.
 */
#include "firstboot/config.h"
#include "firstboot/etcd.h"
#include "firstboot/nat.h"
#include "firstboot/plan.h"
#include "firstboot/pool.h"
#include "firstboot/registration.h"
#include "firstboot/units.h"
#include "firstboot/uplink.h"
#include "lib/log.h"
#include "lib/run.h"

#define POOL_MAX_MS 60000 /* after this time no further key of a slow etcd is read */

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
		log_warn("the NAT rules were wrong and have been restored");
	return r < 0 ? -1 : 0;
}

/* Restores keys that etcd lost. Does nothing when etcd does not answer, because
 * `firstboot pool` waits for it, and leaves out this host's own keys until calico-node
 * has registered the host. */
static void heal_pool(const struct config *c)
{
	_cleanup_calico_keys_ struct calico_keys k = {0};
	uint64_t end = now_ms() + POOL_MAX_MS;
	struct err e;

	calico_keys_make(&k, &c->host, c->role);
	for (size_t i = 0; i < k.n && now_ms() < end; i++) {
		int r = k.v[i].own ? calico_host_is_known(&c->host, &e) : 1;

		if (r > 0)
			r = etcd_ensure(c->host.etcd, k.v[i].key, k.v[i].want, &e);
		else
			return; /* this host's own keys are the last */
		if (r < 0)
			return;
		if (r > 0)
			log_warn("%s was missing in etcd and has been restored",
				 k.v[i].what);
	}
}

/* Restarts the unit if its registration was present in this boot and is lost. */
static int heal_registration(const struct registration *r, const struct firstboot *fb,
			     const struct config *c, struct err *e)
{
	const char *const restart[] = {"systemctl", "try-restart", "--no-block", r->unit,
				       NULL};
	_cleanup_free_ char *unit = xstrdup(r->unit), *subject = r->subject(&c->host);
	char *const names[] = {unit, NULL};
	_cleanup_units_ struct units u = {0};
	unsigned wait, active;

	if (!registration_applies(r, c->role) ||
	    registration_look(r, fb, &c->host) != REGISTRATION_ABSENT ||
	    !registration_is_marked(r, fb, &c->host))
		return 0;
	if (units_query(&u, names, e) < 0)
		return -1;
	wait = registration_wait_s(r, fb);
	active = unit_active_s(&u.v[0]);
	if (active < wait) {
		log_info("%s no longer knows %s; %s is restarted when it has run for "
			 "%u s (now %u)",
			 r->at, subject, r->unit, wait, active);
		return 0;
	}
	console_line(fb,
		     "%s no longer knows %s: restarting %s, so that it registers again",
		     r->at, subject, r->unit);
	registration_note_restart(r, fb);
	return run_argv(restart, e);
}

/* Appends the message of one failure to that of the earlier ones in `e`. */
static void add_failure(struct err *e, bool *failed, const struct err *one)
{
	struct err both = *one;

	if (*failed)
		err_set(&both, one->code, "%s; %s", e->msg, one->msg);
	*e = both;
	*failed = true;
}

int cmd_heal(const struct firstboot *given, char **args _unused_, struct err *e)
{
	struct firstboot here = *given;
	_cleanup_config_ struct config c = {0};
	bool failed = false;
	struct err one;

	if (config_load(&c, &here) < 0)
		return config_err(&c, "this host", e);
	console_of_host(&here, c.host.console);
	if (heal_nat(&here, &c, &one) < 0)
		add_failure(e, &failed, &one);
	for (size_t i = 0; i < n_registrations; i++)
		if (heal_registration(&registrations[i], &here, &c, &one) < 0)
			add_failure(e, &failed, &one);
	heal_pool(&c);
	return failed ? -1 : 0;
}
