/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot apply`: sources, checks, uplink, plan, steps, in this order, and nothing is
 * touched before the plan is whole. A host that may not be configured gets a way in for
 * its operator and says why; nothing of the cluster is written or started.
 */
#include "firstboot/cmdline.h"
#include "firstboot/config-url.h"
#include "firstboot/config.h"
#include "firstboot/plan.h"
#include "firstboot/state.h"
#include "firstboot/steps.h"
#include "firstboot/uplink.h"
#include "lib/log.h"

/* Of a file that is wrong throughout: boot and report are not to drown in it. */
#define ERRORS_MAX 50

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

/* Run again within one boot: the phases stay those of the boot. */
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

/* The record for report, and the reasons on the console. */
static int finish(const struct firstboot *fb, struct applied *a, struct err *e)
{
	for (size_t i = 0; a->warnings && a->warnings[i]; i++)
		console_line(fb, "warning: %s", a->warnings[i]);
	for (size_t i = 0; a->errors && a->errors[i]; i++)
		console_line(fb, "%s", a->errors[i]);
	keep_times(a, fb);
	return applied_write(a, fb, e);
}

/*
 * The way in: the uplink as configured if it is there (its driver may be late, hence
 * `wait`) and its keys are good, else DHCP on whatever there is.
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

	fputs(text, stdout);
	return 0;
}

static int wrong(const struct firstboot *fb, const struct config *c, struct applied *a,
		 struct err *e)
{
	if (fb->dry_run)
		return config_err(c, "this host", e);
	e->code = ERR_CONFIG;
	return refuse(fb, c, a, true, e);
}

/* The boot goes on without the state disk that it was to have; that may not pass for
 * success. */
static void warn_state(const struct firstboot *fb, char ***warnings)
{
	_cleanup_free_ char *want = cmdline_value(fb, "state");
	_cleanup_boot_info_ struct boot_info b = {0};

	boot_info_read(&b, fb);
	if (want && !streq(want, "none") && b.state && streq(b.state, "ram"))
		strv_addf(warnings,
			  "%s did not become the state disk (the boot's messages say "
			  "why): all this host writes is gone at its next boot",
			  want);
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
	if (config_load(&c, fb) < 0)
		return wrong(fb, &c, &a, e);
	console_of_host(&here, c.host.console);
	if (!fb->dry_run && config_url_keep(fb, e) < 0)
		return refuse(fb, &c, &a, true, e);
	if (uplink_wait(fb, &c.host, &uplink, e) < 0)
		return fb->dry_run ? -1 : refuse(fb, &c, &a, false, e);
	plan_make(&p, &c.host, c.role, uplink);
	p.config = config_text(&c.host);
	if (fb->dry_run)
		return dry_run(&p);
	a.uplink = xstrdup(uplink_name(&c.host, uplink, name));
	if (steps_run(fb, &p, e) < 0)
		return refuse(fb, &c, &a, false, e);
	a.ok = true;
	return finish(fb, &a, e);
}
