/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firstboot program: options, the table of commands, the one place that prints errors
 * and exits.
 */
#include "firstboot/firstboot.h"
#include "lib/log.h"
#include "lib/str.h"

#include <fcntl.h>
#include <getopt.h>

static const struct firstboot_command commands[] = {
	{"apply", NULL, "make this machine the host its configuration says", cmd_apply},
	{"report", NULL, "look whether its role works; --wait: until then, report",
	 cmd_report},
	{"pool", NULL, "add Calico's pools and BGP peers to etcd, once", cmd_pool},
	{"containers", NULL, "give Docker the container images that are baked in",
	 cmd_containers},
	{"heal", NULL, "put back what the cluster does not mend by itself", cmd_heal},
	{"route", NULL, "wait for a default route, say why there is none", cmd_route},
	{"explain", NULL, "print the configuration, each value with its source",
	 cmd_explain},
	{"check", "FILE", "say what is wrong with a host.cfg", cmd_check},
	{"status", NULL, "print how this host stands", cmd_status},
};

enum option_value {
	OPT_HELP = 256,
	OPT_VERSION,
	OPT_ROOT,
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

static const struct option options[] = {
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{"root", required_argument, NULL, OPT_ROOT},
	{"live", no_argument, NULL, OPT_LIVE},
	{"cmdline", required_argument, NULL, OPT_CMDLINE},
	{"console", required_argument, NULL, OPT_CONSOLE},
	{"roles", required_argument, NULL, OPT_ROLES},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"link-timeout", required_argument, NULL, OPT_LINK_TIMEOUT},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"wait", no_argument, NULL, OPT_WAIT},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{NULL, 0, NULL, 0},
};

static const char option_help[] =
	"  --root=DIR          the system is below DIR; the running one is left alone\n"
	"  --live              with --root: change the running system as well\n"
	"  --cmdline=TEXT      instead of the kernel's command line\n"
	"  --console=FILE      instead of /dev/console (with --root: none)\n"
	"  --roles=FILE        instead of the image's roles\n"
	"  --timeout=SECONDS   how long to wait (report, pool, containers:\n"
	"                      600; route: 60)\n"
	"  --link-timeout=SECONDS  how long to wait for the uplink's device (20)\n"
	"  --dry-run           apply: print what would be made, touch nothing\n"
	"  --wait              report: wait for the verdict and report it\n"
	"  --debug             say more\n"
	"  --help, --version\n";

static void print_help(void)
{
	printf("usage: firstboot [OPTION...] COMMAND [FILE]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %-5s %s\n", commands[i].name,
		       commands[i].args ? commands[i].args : "", commands[i].summary);
	printf("\n%s\nExit status: 0 done, 1 failed, 2 usage, 3 the configuration is "
	       "wrong.\n",
	       option_help);
}

static int seconds(const char *text, const char *option, unsigned *ret, struct err *e)
{
	uint64_t v;

	if (str_to_u64(text, 86400, &v) < 0)
		return err_set(e, ERR_USAGE, "--%s: must be 0 to 86400 seconds, not '%s'",
			       option, text);
	*ret = (unsigned)v;
	return 0;
}

/* 0, 1: it was --help or --version and is done, -1. */
static int take_option(struct firstboot *fb, int value, const char *word, bool *live,
		       struct err *e)
{
	switch (value) {
	case OPT_HELP:
		print_help();
		return 1;
	case OPT_VERSION:
		puts("firstboot " RACKSTRAP_VERSION);
		return 1;
	case OPT_ROOT:
		fb->root = optarg;
		return 0;
	case OPT_LIVE:
		*live = true;
		return 0;
	case OPT_CMDLINE:
		fb->cmdline = optarg;
		return 0;
	case OPT_CONSOLE:
		fb->console = optarg;
		return 0;
	case OPT_ROLES:
		fb->roles = optarg;
		return 0;
	case OPT_TIMEOUT:
		return seconds(optarg, "timeout", &fb->timeout, e);
	case OPT_LINK_TIMEOUT:
		return seconds(optarg, "link-timeout", &fb->link_timeout, e);
	case OPT_DRY_RUN:
		fb->dry_run = true;
		return 0;
	case OPT_WAIT:
		fb->wait = true;
		return 0;
	case OPT_DEBUG:
		log_setup("firstboot", LOG_LEVEL_DEBUG);
		return 0;
	default: /* getopt_long has moved behind the word it did not like */
		return err_set(e, ERR_USAGE, "%s '%s' (firstboot --help lists all)",
			       value == ':' ? "something is missing behind"
					    : "there is no option",
			       word);
	}
}

static int parse(struct firstboot *fb, int argc, char **argv, struct err *e)
{
	bool live = false;
	int value, r;

	opterr = 0;
	while ((value = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		r = take_option(fb, value, argv[optind - 1], &live, e);
		if (r != 0)
			return r;
	}
	fb->live = live || !fb->root;
	if (!fb->console && !fb->root)
		fb->console = "/dev/console";
	if (!fb->root)
		fb->root = "/";
	return 0;
}

static const struct firstboot_command *find(const char *name, struct err *e)
{
	const char *names[ARRAY_SIZE(commands) + 1] = {NULL}, *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (streq(commands[i].name, name))
			return &commands[i];
		names[i] = commands[i].name;
	}
	near = str_nearest(name, names);
	err_set(e, ERR_USAGE,
		"there is no command '%s'%s%s%s (firstboot --help lists all)", name,
		near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}

static int dispatch(struct firstboot *fb, char **args, struct err *e)
{
	_cleanup_close_ int root = -1;
	const struct firstboot_command *c;
	size_t n = strv_len(args), want;

	if (n == 0)
		return err_set(e, ERR_USAGE,
			       "which command? (firstboot --help lists all)");
	c = find(args[0], e);
	if (!c)
		return -1;
	want = c->args ? 2 : 1;
	if (n < want)
		return err_set(e, ERR_USAGE, "%s: %s is missing", c->name, c->args);
	if (n > want)
		return err_set(e, ERR_USAGE, "%s: '%s' is too much", c->name, args[want]);
	root = open(fb->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(e, errno, "%s", fb->root);
	fb->rootfd = root;
	return c->run(fb, args + 1, e);
}

int main(int argc, char **argv)
{
	struct firstboot fb = {.rootfd = -1, .link_timeout = 20};
	struct err e = {.code = ERR_FAILED};
	int r;

	log_setup("firstboot", LOG_LEVEL_INFO);
	r = parse(&fb, argc, argv, &e);
	if (r == 0)
		r = dispatch(&fb, argv + optind, &e);
	if (r < 0)
		log_error("%s", e.msg);
	/* What was printed may not have been written: a full disk is a failure. */
	if (fflush(stdout) != 0 && r >= 0) {
		log_error("standard output: %s", strerror(errno));
		return ERR_FAILED;
	}
	return r < 0 ? (int)e.code : 0;
}
