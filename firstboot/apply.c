/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot apply` loads the sources, checks the host, finds the uplink, makes the plan
 * and runs its steps. Nothing is changed before the plan is complete. A host that may not
 * be configured is made reachable for its operator (rescue mode) and reports why; no part
 * of the cluster is configured or started.
 */
#include "firstboot/cmdline.h"
#include "firstboot/config-url.h"
#include "firstboot/config.h"
#include "firstboot/plan/plan.h"
#include "firstboot/secrets.h"
#include "firstboot/state.h"
#include "firstboot/steps.h"
#include "firstboot/uplink.h"
#include "lib/log.h"
#include "lib/out.h"

#define ERRORS_MAX 50 /* complaints on the console and in the report */

static void print_phases(const struct firstboot *fb, const struct applied *a)
{
	_cleanup_boot_info_ struct boot_info b = {0};
	struct phase p[PHASES_MAX];
	size_t n;

	boot_info_read(&b, fb);
	n = phases_make(&b, a, 0, p);
	for (size_t i = 0; i < n; i++)
		console_line(fb, "%-9s %3llu.%03llu s", p[i].name,
			     (unsigned long long)p[i].ms / 1000,
			     (unsigned long long)p[i].ms % 1000);
}

/* Sets the times of the boot's first run, and prints its phases in that run only. */
static void keep_times(struct applied *a, const struct firstboot *fb)
{
	_cleanup_applied_ struct applied before = {0};

	applied_read(&before, fb);
	if (before.there) {
		a->start_ms = before.start_ms;
		a->end_ms = before.end_ms;
	} else {
		a->end_ms = now_ms();
		print_phases(fb, a);
	}
}

/* Adds the warnings of the boot script, which the console has already. */
static void add_boot_warnings(const struct firstboot *fb, struct applied *a)
{
	_cleanup_boot_info_ struct boot_info b = {0};

	boot_info_read(&b, fb);
	for (size_t i = 0; b.warnings && b.warnings[i]; i++)
		strv_add(&a->warnings, b.warnings[i]);
}

/* Prints warnings and errors on the console and writes the record for `firstboot
 * report`. */
static int finish(const struct firstboot *fb, struct applied *a, struct err *e)
{
	for (size_t i = 0; a->warnings && a->warnings[i]; i++)
		console_line(fb, "warning: %s", a->warnings[i]);
	for (size_t i = 0; a->errors && a->errors[i]; i++)
		console_line(fb, "%s", a->errors[i]);
	keep_times(a, fb);
	add_boot_warnings(fb, a);
	return applied_write(a, fb, e);
}

/*
 * Makes the host reachable: by the uplink as configured when its links exist and its keys
 * are right, else by DHCP on every Ethernet link. `wait`: waits for the links, because
 * their driver may still be loading.
 */
static void rescue(const struct firstboot *fb, const struct config *c, struct applied *a,
		   bool wait)
{
	_cleanup_free_ struct link *links = NULL;
	_cleanup_plan_ struct plan p = {0};
	_cleanup_free_ char *uplink = NULL;
	bool settled;
	struct err e;
	size_t n = 0;

	if (wait && (c->host.has_mac || c->host.interface || strv_len(c->host.bond)))
		(void)!uplink_wait(fb, &c->host, &uplink, NULL);
	else if (links_list(fb->rootfd, &links, &n) == 0)
		(void)!uplink_find(&c->host, links, n, &uplink, &settled, NULL);
	plan_make_rescue(&p, &c->host, c->bad, uplink);
	if (steps_files(fb, &p, &e) < 0)
		strv_add(&a->errors, e.msg);
}

/* Enters rescue mode and records the reasons: the complaints, or `e` when there are none.
 * Returns -1. */
static int refuse(const struct firstboot *fb, const struct config *c, struct applied *a,
		  bool wait, struct err *e)
{
	struct err record;

	for (size_t i = 0; i < c->complaints.n && i < ERRORS_MAX; i++)
		strv_add(&a->errors, c->complaints.lines[i]);
	if (c->complaints.n > ERRORS_MAX)
		strv_addf(&a->errors, "and %zu more mistakes",
			  c->complaints.n - ERRORS_MAX);
	if (c->complaints.n == 0)
		strv_add(&a->errors, e->msg);
	rescue(fb, c, a, wait);
	if (finish(fb, a, &record) < 0)
		log_error("%s", record.msg);
	return err_set(e, e->code, "this host is not configured");
}

static int dry_run(const struct plan *p)
{
	_cleanup_free_ char *text = plan_text(p);

	out_text(text);
	return 0;
}

/* Handles a wrong configuration. */
static int refuse_config(const struct firstboot *fb, const struct config *c,
			 struct applied *a, struct err *e)
{
	if (fb->dry_run)
		return config_err(c, "this host", e);
	e->code = ERR_CONFIG;
	return refuse(fb, c, a, true, e);
}

/* Warns when the boot script could not use the state disk and continued without it. */
static void warn_state(const struct firstboot *fb, char ***warnings)
{
	_cleanup_free_ char *want = cmdline_value(fb, "state");
	_cleanup_boot_info_ struct boot_info b = {0};

	boot_info_read(&b, fb);
	if (want && !streq(want, "none") && b.state && streq(b.state, "ram"))
		strv_addf(warnings,
			  "%s is not used as the state disk (see the messages of the "
			  "boot): all data of this host is lost at its next boot",
			  want);
}

/* Loads the configuration, checks that the host's secrets are there, and keeps the
 * warnings. Returns 0, or -1 when there are complaints. */
static int load(struct config *c, const struct firstboot *fb, char ***warnings)
{
	int r = config_load(c, fb);

	for (size_t i = 0; i < c->warnings.n; i++)
		strv_add(warnings, c->warnings.lines[i]);
	return r < 0 ? r : secrets_check(fb, &c->host, &c->complaints);
}

int cmd_apply(const struct firstboot *given, char **args _unused_, struct err *e)
{
	struct firstboot here = *given;
	const struct firstboot *fb = &here;
	_cleanup_applied_ struct applied a = {.start_ms = now_ms()};
	_cleanup_config_ struct config c = {0};
	_cleanup_plan_ struct plan p = {0};
	_cleanup_free_ char *uplink = NULL;
	char name[IF_NAMESIZE];

	if (!fb->dry_run) {
		warn_state(fb, &a.warnings);
		config_url_fetch(fb, &a.warnings);
	}
	if (load(&c, fb, &a.warnings) < 0)
		return refuse_config(fb, &c, &a, e);
	console_of_host(&here, c.host.console);
	if (!fb->dry_run && config_url_keep(fb, e) < 0)
		return refuse(fb, &c, &a, true, e);
	if (uplink_wait(fb, &c.host, &uplink, e) < 0)
		return fb->dry_run ? -1 : refuse(fb, &c, &a, false, e);
	plan_make(&p, &c.host, c.role, &c.templates, uplink);
	p.config = config_text(&c.host);
	if (fb->dry_run)
		return dry_run(&p);
	a.uplink = xstrdup(uplink_name(&c.host, uplink, name));
	if (steps_run(fb, &p, e) < 0)
		return refuse(fb, &c, &a, false, e);
	a.ok = true;
	return finish(fb, &a, e);
}
