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
#include "firstboot/feature.h"
#include "firstboot/units.h"
#include "lib/log.h"
#include "lib/run.h"

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

static int heal_feature(const struct feature_code *code, const struct firstboot *fb,
			const struct config *c, struct err *e)
{
	struct err registration;
	int r = 0;

	if (code->registration)
		r = heal_registration(code->registration, fb, c, &registration);
	if (code->heal && code->heal(fb, c, e) < 0)
		return -1;
	if (r < 0)
		*e = registration;
	return r;
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
	for (size_t i = 0; feature_codes[i]; i++)
		if (role_has(c.role, feature_codes[i]->id) &&
		    heal_feature(feature_codes[i], &here, &c, &one) < 0)
			add_failure(e, &failed, &one);
	return failed ? -1 : 0;
}
