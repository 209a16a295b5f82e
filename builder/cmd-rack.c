/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap rack: runs a whole rack on this machine. Everything that can be checked is
 * checked first, in the caller's own namespaces; servers and machines run in namespaces
 * of their own (rack-ns.h), which end with this process.
 *
 * The folder keeps the machines' disks from one run to the next, so that a second run is
 * a rack that was switched off and on. --fresh deletes the disks.
 */
#include "builder/commands.h"
#include "builder/common/known-files.h"
#include "builder/common/leftovers.h"
#include "builder/installed.h"
#include "builder/rack/rack-folder.h"
#include "builder/rack/rack-ns.h"
#include "builder/rack/rack-preflight.h"
#include "builder/rack/rack-program.h"
#include "builder/rack/rack-ssh.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/signals.h"
#include "pxe/dhcp-server.h"
#include "pxe/image-check.h"
#include "pxe/rack-image.h"
#include "pxe/tree.h"

#define TIMEOUT_DEFAULT 900
#define TIMEOUT_MAX     86400

enum {
	OPT_IMAGE = 1,
	OPT_DIR,
	OPT_HOST,
	OPT_ACCEL,
	OPT_DHCP,
	OPT_UEFI,
	OPT_KEEP,
	OPT_RUN,
	OPT_FRESH,
	OPT_TIMEOUT,
	OPT_JSON,
};

struct rack_options {
	const char *rack, *image, *dir;
	const struct dhcp_server *dhcp;
	char **hosts;   /* --host; NULL: all */
	char **program; /* --run and its arguments; NULL: none */
	bool uefi, keep, fresh, json;
	enum accel_choice accel;
	uint64_t timeout_s;
};

/* The state of the work, before and inside the namespaces. */
struct rack_job {
	const struct rack_options *a;
	struct rack rack;
	struct image image;
	struct known_digests known;
	const struct rack_host **hosts; /* those to boot */
	size_t n;
	char *dir;
	int lock;
	struct rack_run run;
};

/* --- the command line -------------------------------------------------------------- */

static int parse_options(struct rack_options *a, const struct command_line *line,
			 struct err *e)
{
	const char *host;

	*a = (struct rack_options){
		.rack = line->args[0],
		.image = command_arg(line, OPT_IMAGE, NULL),
		.dir = command_arg(line, OPT_DIR, NULL),
		.dhcp = dhcp_server_find(command_arg(line, OPT_DHCP, dhcp_servers->name)),
		.uefi = command_has(line, OPT_UEFI),
		.keep = command_has(line, OPT_KEEP),
		.fresh = command_has(line, OPT_FRESH),
		.json = command_has(line, OPT_JSON),
		.timeout_s = TIMEOUT_DEFAULT,
	};
	for (size_t i = 0; (host = command_arg_at(line, OPT_HOST, i)); i++)
		strv_add(&a->hosts, host);
	if (command_has(line, OPT_RUN))
		strv_add(&a->program, command_arg(line, OPT_RUN, NULL));
	for (size_t i = 1; line->args[i]; i++) {
		if (!a->program)
			return err_set(e, ERR_USAGE,
				       "rack: unexpected argument '%s' (arguments of the "
				       "program need '--run PROGRAM')",
				       line->args[i]);
		strv_add(&a->program, line->args[i]);
	}
	if (a->program && a->json)
		return err_set(e, ERR_USAGE,
			       "rack: options '--run' and '--json' exclude each other: "
			       "standard output is the program's");
	if (accel_parse(command_arg(line, OPT_ACCEL, "auto"), &a->accel) < 0)
		return err_set(e, ERR_USAGE, "rack: unknown accelerator");
	return command_duration(line, OPT_TIMEOUT, 1, TIMEOUT_MAX, 1, &a->timeout_s, e);
}

/* --- before anything runs ---------------------------------------------------------- */

static const struct rack_host *find_host(const struct rack *rack, const char *name)
{
	for (size_t i = 0; i < rack->n_hosts; i++)
		if (streq(rack->hosts[i].host.name, name))
			return &rack->hosts[i];
	return NULL;
}

static int unknown_host(const struct rack *rack, const char *name, struct err *e)
{
	_cleanup_free_ const char **names = xcalloc(rack->n_hosts + 1, sizeof(*names));
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; i < rack->n_hosts; i++)
		names[i] = rack->hosts[i].host.name;
	hint = str_hint(str_nearest_name(name, names));
	return err_set(e, ERR_USAGE, "rack: --host: %s has no host '%s'%s", rack->file,
		       name, hint);
}

static int choose_hosts(struct rack_job *j, struct err *e)
{
	j->hosts = xcalloc(j->rack.n_hosts + 1, sizeof(*j->hosts));
	for (size_t i = 0; !j->a->hosts && i < j->rack.n_hosts; i++)
		j->hosts[j->n++] = &j->rack.hosts[i];
	for (size_t i = 0; j->a->hosts && j->a->hosts[i]; i++) {
		const struct rack_host *h = find_host(&j->rack, j->a->hosts[i]);
		bool again = false;

		if (!h)
			return unknown_host(&j->rack, j->a->hosts[i], e);
		for (size_t k = 0; k < j->n; k++)
			again |= j->hosts[k] == h;
		if (!again)
			j->hosts[j->n++] = h;
	}
	return 0;
}

static void log_standins(const struct rack_job *j)
{
	_cleanup_free_ char *names = NULL;

	if (!j->image.standins)
		return;
	names = strv_join(j->image.standins, ", ");
	log_info("image '%s' is for tests only: it has stand-ins for %s", j->image.name,
		 names);
}

/* Changes the code of an error that is no mistake in a file or on the command line: a
 * script can tell a rack that was not started from a host that failed. Returns -1. */
static int cannot_start(struct err *e)
{
	if (e->code == ERR_FAILED)
		e->code = ERR_UNABLE;
	return -1;
}

static int load(struct rack_job *j, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *image = built_image(j->a->image);
	_cleanup_free_ char *rack = installed_rack(j->a->rack);

	if (image_open(&j->image, image, e) < 0)
		return -1;
	log_standins(j);
	if (rack_load_for_image(&j->rack, rack, &j->image, &d) < 0)
		return diag_err(&d, e);
	if (choose_hosts(j, e) < 0)
		return -1;
	known_files_open(&j->known, NULL);
	if (image_check(&j->image, &j->known, e) < 0)
		return -1;
	if (preflight_hosts(j->hosts, j->n, &j->image, &d) < 0)
		return diag_err(&d, e);
	if (preflight_tools(j->a->uefi, j->a->accel, "", &d) < 0) {
		int r = diag_err(&d, e);

		e->code = ERR_UNABLE; /* the machine is at fault, not a file */
		return r;
	}
	preflight_this_machine(j->hosts, j->n, "/proc/meminfo");
	return 0;
}

/* --- inside the namespaces --------------------------------------------------------- */

static int start_boot_server(struct rack_job *j, struct err *e)
{
	struct cidr address = {j->rack.boot_server, j->rack.network.prefix};
	_cleanup_free_ char *records = leftovers_dir();
	struct tree_options o = {
		.dhcp = j->a->dhcp, .interface = NS_BRIDGE, .records = records};
	struct serve_options so = {.user = NULL};
	_cleanup_diag_ struct diag d = {0};
	struct rack_run *r = &j->run;
	unsigned taps = 0;

	for (size_t i = 0; i < j->n; i++)
		taps += vm_nics(j->hosts[i]);
	if (ns_network(address, taps, &o.router_advert, e) < 0 ||
	    rack_ssh_make_key(&j->rack, j->dir, e) < 0 ||
	    tree_render(&j->rack, &j->image, r->tree, &o, NULL, e) < 0 ||
	    serve_open(&r->serve, r->tree, &so, e) < 0)
		return -1;
	if (serve_check(&r->serve, &d) < 0) {
		int ret = diag_err(&d, e);

		e->code = ERR_UNABLE; /* the machine is at fault, not a file */
		return ret;
	}
	return serve_start(&r->serve, e);
}

static const struct tree_host *tree_host(const struct tree_info *info, const char *name)
{
	for (size_t i = 0; i < info->n_hosts; i++)
		if (streq(info->hosts[i].name, name))
			return &info->hosts[i];
	return NULL;
}

static int start_machines(struct rack_job *j, struct err *e)
{
	struct rack_run *r = &j->run;
	unsigned tap = 0;

	r->machines = xcalloc(j->n, sizeof(*r->machines));
	r->n = j->n;
	for (size_t i = 0; i < r->n; i++) {
		struct machine *m = &r->machines[i];
		const char *name = j->hosts[i]->host.name;
		_cleanup_free_ char *console =
			xasprintf("%s/log/%s.console", r->dir, name);
		_cleanup_free_ char *qemu = xasprintf("%s/log/%s.qemu", r->dir, name);

		m->vm = (struct vm){.host = j->hosts[i],
				    .tap = tap,
				    .accel = r->accel,
				    .uefi = r->uefi,
				    .pidfd = -1};
		tap += vm_nics(j->hosts[i]);
		m->host = tree_host(&r->serve.info, name);
		console_open(&m->console, console);
		console_open(&m->qemu, qemu);
		/* QEMU makes it; one of an earlier run must not be read. */
		if (unlink(console) < 0 && errno != ENOENT)
			return err_errno(e, errno, "%s", console);
		if (vm_prepare(&m->vm, r->dir, e) < 0)
			return -1;
	}
	if (rack_ssh_write_config(r, e) < 0 || rack_watch_open(r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		r->machines[i].on_ms = rack_now_ms();
		if (vm_start(&r->machines[i].vm, r->dir, e) < 0)
			return err_wrap(e, "%s", r->machines[i].host->name);
	}
	return 0;
}

static void stop_all(struct rack_run *r)
{
	struct vm **vms = xcalloc(r->n + 1, sizeof(*vms));

	for (size_t i = 0; i < r->n; i++)
		vms[i] = &r->machines[i].vm;
	vm_stop(vms, r->n);
	free(vms);
	rack_watch_done(r);
	serve_done(&r->serve);
	for (size_t i = 0; i < r->n; i++) {
		free(r->machines[i].why);
		status_host_done(&r->machines[i].status);
		console_done(&r->machines[i].console);
		console_done(&r->machines[i].qemu);
	}
	free(r->machines);
	close_p(&r->signals);
	rack_ssh_remove(r->dir);
}

static int show(struct rack_job *j, struct err *e)
{
	_cleanup_free_ char *text = NULL;

	rack_log_problems(&j->run);
	text = j->a->json ? rack_json(&j->run) : rack_table(&j->run);
	/* Standard output is the program's. */
	if (j->a->program) {
		log_lines(LOG_LEVEL_INFO, text);
		return 0;
	}
	out_text(text);
	return out_flush(e);
}

/* Keeps the rack running until a signal arrives. */
static int keep(struct rack_job *j, struct err *e)
{
	rack_log_access(&j->run);
	return rack_watch(&j->run, true, e) < 0 ? -1 : 0;
}

static int watch_and_show(struct rack_job *j, struct err *e)
{
	int r = rack_watch(&j->run, false, e);

	if (r > 0)
		return err_set(e, ERR_INTERRUPTED,
			       "interrupted before every host had a verdict");
	if (r < 0 || show(j, e) < 0)
		return -1;
	r = rack_result(&j->run, e);
	if (r == 0 && j->a->program)
		r = rack_program_run(&j->run, e);
	if (!j->a->keep || (r < 0 && e->code == ERR_INTERRUPTED))
		return r;
	if (r < 0)
		log_lines(LOG_LEVEL_ERROR, e->msg);
	return keep(j, r < 0 ? NULL : e) < 0 ? -1 : r;
}

static int work(void *arg, struct err *e)
{
	struct rack_job *j = arg;
	int r;

	j->run.signals = signals_open(e);
	r = j->run.signals < 0 ? -1 : start_boot_server(j, e);
	if (r == 0)
		r = accel_find(j->run.dir, j->a->accel, &j->run.accel, e);
	if (r == 0) {
		log_info("rack '%s': %zu machine%s boot%s over PXE (%s)", j->rack.name,
			 j->n, j->n == 1 ? "" : "s", j->n == 1 ? "s" : "",
			 j->run.uefi ? "UEFI" : "BIOS");
		r = start_machines(j, e);
	}
	r = r == 0 ? watch_and_show(j, e) : cannot_start(e);
	stop_all(&j->run);
	return r;
}

/* --- the command ------------------------------------------------------------------- */

static void job_done(struct rack_job *j)
{
	rack_done(&j->rack);
	image_done(&j->image);
	known_files_done(&j->known);
	free(j->hosts);
	free(j->dir);
	free(j->run.tree);
	close_p(&j->lock);
}

static int run_job(struct rack_job *j, struct err *e)
{
	_cleanup_free_ char *pid_file = NULL;
	int r;

	if (load(j, e) < 0)
		return cannot_start(e);
	j->dir = j->a->dir ? xstrdup(j->a->dir) : xasprintf("rack-%s", j->rack.name);
	if ((j->a->program && rack_program_check(j->a->program, j->dir, e) < 0) ||
	    rack_folder_open(j->dir, j->a->fresh, &j->lock, e) < 0)
		return cannot_start(e);
	j->run = (struct rack_run){
		.rack = &j->rack,
		.image = &j->image,
		.dir = j->dir,
		.tree = xasprintf("%s/tree", j->dir),
		.uefi = j->a->uefi,
		.only_kvm = j->a->accel == ACCEL_ONLY_KVM,
		.timeout_ms = j->a->timeout_s * 1000,
		.program = (const char *const *)j->a->program,
		.program_fd = -1,
		.serve = SERVE_INIT,
		.signals = -1,
	};
	pid_file = xasprintf("%s/" RACK_PID_FILE, j->dir);
	r = ns_run(work, j, pid_file, e);
	/* The rack's process removes the key, unless it was killed. */
	rack_ssh_remove(j->dir);
	return r;
}

static int run_rack(const struct command_line *line, struct err *e)
{
	struct rack_options a;
	struct rack_job j = {.a = &a, .lock = -1};
	int r = parse_options(&a, line, e);

	if (r == 0)
		r = run_job(&j, e);
	job_done(&j);
	strv_free(a.hosts);
	strv_free(a.program);
	return r;
}

static const struct command_option options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .required = true,
	 .help = "the image that the hosts boot, as `rackstrap build` made it"},
	{.name = "dir",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_DIR,
	 .help = "the folder for the boot tree, disks and console logs (default: "
		 "rack-NAME)"},
	{.name = "host",
	 .arg = "NAME",
	 .id = OPT_HOST,
	 .help = "start this host only; may be repeated"},
	{.name = "accel",
	 .arg = "HOW",
	 .choice = accel_choice_name,
	 .id = OPT_ACCEL,
	 .help = "how the machines run; auto (default) is KVM where it works, else "
		 "emulation "
		 "(tcg)"},
	{.name = "dhcp",
	 .arg = "SERVER",
	 .choice = dhcp_server_name,
	 .id = OPT_DHCP,
	 .help = "the DHCP server (default: dnsmasq)"},
	{.name = "uefi", .id = OPT_UEFI, .help = "boot by UEFI instead of BIOS"},
	{.name = "keep",
	 .id = OPT_KEEP,
	 .help = "keep the rack running after the table, until Ctrl-C"},
	{.name = "run",
	 .arg = "PROGRAM",
	 .kind = ARG_FILE,
	 .id = OPT_RUN,
	 .help = "run this program in the rack's network when every host is ready, with "
		 "ssh and $RACK_HOSTS; its exit status is the result"},
	{.name = "fresh",
	 .id = OPT_FRESH,
	 .help = "delete the disks of an earlier run first"},
	{.name = "timeout",
	 .arg = "TIME",
	 .id = OPT_TIMEOUT,
	 .help = "a host that has not reported after this time, like 90s or 5m, has "
		 "failed (default: 15m)"},
	{.name = "json",
	 .id = OPT_JSON,
	 .help = "print the result as JSON instead of a table"},
	{.name = NULL},
};

const struct command command_rack = {
	.name = "rack",
	.synopsis = "RACK.cfg --image DIR [--dir DIR] [--host NAME]... [--accel HOW] "
		    "[--dhcp SERVER] [--uefi] [--keep] [--fresh] [--timeout TIME] "
		    "[--json | --run PROGRAM [-- ARG...]]",
	.summary = "boot a whole rack in QEMU on this machine, without root",
	.options = options,
	.operands = {{.name = "RACK.cfg", .kind = ARG_FILE, .help = "a rack file"},
		     {.name = "ARG",
		      .kind = ARG_TEXT,
		      .help = "of the program of --run"}},
	.min_args = 1,
	.max_args = COMMAND_ANY,
	.run = run_rack,
};
