/* SPDX-License-Identifier: Apache-2.0 */
/* The firstboot program: its options and its table of commands. */
#include "firstboot/firstboot.h"
#include "lib/command.h"
#include "lib/log.h"

#include <fcntl.h>
#include <sys/stat.h>

#define TIMEOUT_MAX 86400

enum {
	OPT_ROOT = 1,
	OPT_LIVE,
	OPT_CMDLINE,
	OPT_CONSOLE,
	OPT_ROLES,
	OPT_TIMEOUT,
	OPT_LINK_TIMEOUT,
	OPT_DRY_RUN,
	OPT_WAIT,
	OPT_DEBUG,
};

struct firstboot_command {
	struct command command; /* the first member: run_command() converts from it */
	int (*run)(const struct firstboot *fb, char **args, struct err *e);
};

static int parse_options(struct firstboot *fb, const struct command_line *line,
			 struct err *e)
{
	uint64_t timeout = 0, link_timeout = 20;

	if (command_has(line, OPT_DEBUG))
		log_setup("firstboot", LOG_LEVEL_DEBUG);
	if (command_duration(line, OPT_TIMEOUT, 0, TIMEOUT_MAX, 1, &timeout, e) < 0 ||
	    command_duration(line, OPT_LINK_TIMEOUT, 0, TIMEOUT_MAX, 1, &link_timeout,
			     e) < 0)
		return -1;
	*fb = (struct firstboot){
		.rootfd = -1,
		.live = command_has(line, OPT_LIVE) || !command_has(line, OPT_ROOT),
		.cmdline = command_arg(line, OPT_CMDLINE, NULL),
		.console =
			command_arg(line, OPT_CONSOLE,
				    command_has(line, OPT_ROOT) ? NULL : "/dev/console"),
		.roles = command_arg(line, OPT_ROLES, NULL),
		.timeout = (unsigned)timeout,
		.link_timeout = (unsigned)link_timeout,
		.dry_run = command_has(line, OPT_DRY_RUN),
		.wait = command_has(line, OPT_WAIT),
	};
	return 0;
}

static int run_command(const struct command_line *line, struct err *e)
{
	const struct firstboot_command *c =
		(const struct firstboot_command *)line->command;
	const char *dir = command_arg(line, OPT_ROOT, "/");
	_cleanup_close_ int root = -1;
	struct firstboot fb;

	if (parse_options(&fb, line, e) < 0)
		return -1;
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(e, errno, "%s", dir);
	fb.rootfd = root;
	return c->run(&fb, line->args, e);
}

/* A command without arguments. */
#define COMMAND(name_, summary_, run_)                                                   \
	{                                                                                \
		.command = {.name = (name_),                                             \
			    .synopsis = "[OPTION...]",                                   \
			    .summary = (summary_),                                       \
			    .run = run_command},                                         \
		.run = (run_),                                                           \
	}

static const struct firstboot_command
	apply = COMMAND("apply", "make this machine the host its configuration describes",
			cmd_apply),
	report = COMMAND("report", "check once whether the role works; --wait: at boot",
			 cmd_report),
	pool = COMMAND("pool", "write Calico's pools and BGP peers to etcd", cmd_pool),
	containers =
		COMMAND("containers", "load the image's container images into Docker",
			cmd_containers),
	heal = COMMAND("heal", "restore what the cluster does not restore by itself",
		       cmd_heal),
	route = COMMAND("route", "wait for a default route, or report why there is none",
			cmd_route),
	explain =
		COMMAND("explain", "print the configuration, each value with its source",
			cmd_explain),
	machine_id = COMMAND("machine-id", "print an id of this machine for systemd",
			     cmd_machine_id),
	status = COMMAND("status", "print the state of this host", cmd_status),
	claim =
		{
			.command = {.name = "claim",
				    .synopsis = "[OPTION...] DIR",
				    .summary =
					    "find out whose a state disk is, and mark it",
				    .operands =
					    {{.name = "DIR",
					      .kind = ARG_DIR,
					      .help = "where its filesystem is mounted"}},
				    .min_args = 1,
				    .max_args = 1,
				    .run = run_command},
			.run = cmd_claim,
},
	check = {
		.command = {.name = "check",
			    .synopsis = "[OPTION...] FILE",
			    .summary = "report everything that is wrong with a host.cfg",
			    .operands = {{.name = "FILE",
					  .kind = ARG_FILE,
					  .help = "a host.cfg"}},
			    .min_args = 1,
			    .max_args = 1,
			    .run = run_command},
		.run = cmd_check,
};

static const struct command *const commands[] = {
	&apply.command, &report.command,     &pool.command,    &containers.command,
	&heal.command,  &route.command,      &explain.command, &check.command,
	&claim.command, &machine_id.command, &status.command,  NULL,
};

static const struct command_option options[] = {
	{.name = "root",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_ROOT,
	 .help = "use the files below DIR, and leave the running system alone"},
	{.name = "live",
	 .id = OPT_LIVE,
	 .help = "with --root: change the running system as well"},
	{.name = "cmdline",
	 .arg = "TEXT",
	 .id = OPT_CMDLINE,
	 .help = "the kernel's command line (default: /proc/cmdline)"},
	{.name = "console",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_CONSOLE,
	 .help = "the console (default: /dev/console, with --root none)"},
	{.name = "roles",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_ROLES,
	 .help = "the roles (default: the image's)"},
	{.name = "timeout",
	 .arg = "TIME",
	 .id = OPT_TIMEOUT,
	 .help = "report, pool, containers, route: how long to wait, like 90s or 5m "
		 "(default: 600s; route: 60s)"},
	{.name = "link-timeout",
	 .arg = "TIME",
	 .id = OPT_LINK_TIMEOUT,
	 .help = "how long to wait for the uplink's device (default: 20s)"},
	{.name = "dry-run",
	 .id = OPT_DRY_RUN,
	 .help = "apply, claim: print what would be made, and change nothing"},
	{.name = "wait",
	 .id = OPT_WAIT,
	 .help = "report: wait for the verdict and send the report"},
	{.name = "debug", .id = OPT_DEBUG, .help = "log more"},
	{.name = NULL},
};

static const struct program firstboot = {
	.name = "firstboot",
	.version = RACKSTRAP_VERSION,
	.summary = "Makes a machine the host that its configuration describes.",
	.manual = "firstboot(8)",
	.options = options,
	.commands = commands,
};

int main(int argc, char **argv)
{
	struct err e = {0};

	log_setup("firstboot", LOG_LEVEL_INFO);
	umask(022); /* folders in /etc are for other users, too */
	return command_exit(command_main(&firstboot, argc, argv, &e), &e);
}
