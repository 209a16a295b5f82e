/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap pxe: renders the boot tree (pxe/tree.h) of a rack and an image. */
#include "builder/commands.h"
#include "builder/common/known-files.h"
#include "builder/common/leftovers.h"
#include "builder/diff-args.h"
#include "builder/installed.h"
#include "lib/log.h"
#include "lib/out.h"
#include "pxe/dhcp-server.h"
#include "pxe/image-check.h"
#include "pxe/rack-image.h"
#include "pxe/tree.h"

enum {
	OPT_IMAGE = 1,
	OPT_OUTPUT,
	OPT_INTERFACE,
	OPT_HTTP_PORT,
	OPT_DHCP,
	OPT_PROXY_DHCP,
	OPT_ROUTER_ADVERT,
	OPT_KEEP_FOR,
	OPT_DRY_RUN,
	OPT_JSON,
};

#define DAY_S        (24 * 60 * 60)
#define KEEP_FOR_MAX (3650ULL * DAY_S)

/* Chooses the DHCP server, when the other options are known. */
static int parse_dhcp(struct tree_options *ret, const struct command_line *line,
		      struct err *e)
{
	const char *name = command_arg(line, OPT_DHCP, dhcp_servers->name);

	ret->dhcp = dhcp_server_find(name);
	if (ret->dhcp == dhcp_servers)
		return 0;
	if (ret->proxy_dhcp)
		return err_set(e, ERR_USAGE,
			       "pxe: options '--dhcp %s' and '--proxy-dhcp' exclude each "
			       "other: %s gives out the addresses",
			       name, name);
	if (ret->dhcp->needs_interface && !ret->interface)
		return err_set(e, ERR_USAGE,
			       "pxe: option '--dhcp %s' requires '--interface IF'", name);
	return 0;
}

static int parse_options(struct tree_options *ret, const struct command_line *line,
			 struct err *e)
{
	uint64_t port = 0;

	if (command_number(line, OPT_HTTP_PORT, 1, 65535, "", &port, e) < 0)
		return -1;
	ret->http_port = (uint16_t)port;
	ret->keep_for = DAY_S;
	if (command_duration(line, OPT_KEEP_FOR, 0, KEEP_FOR_MAX, 1, &ret->keep_for, e) <
	    0)
		return -1;
	ret->interface = command_arg(line, OPT_INTERFACE, NULL);
	if (ret->interface && !tree_is_interface(ret->interface))
		return err_set(e, ERR_USAGE,
			       "pxe: option '--interface' must be the name of an "
			       "interface, not '%s'",
			       ret->interface);
	ret->proxy_dhcp = command_has(line, OPT_PROXY_DHCP);
	ret->router_advert = command_has(line, OPT_ROUTER_ADVERT);
	if (ret->router_advert && !ret->interface)
		return err_set(e, ERR_USAGE,
			       "pxe: option '--router-advert' requires '--interface IF'");
	return parse_dhcp(ret, line, e);
}

static void warn_standins(const struct image *image)
{
	_cleanup_free_ char *names = NULL;

	if (!image->standins)
		return;
	names = strv_join(image->standins, ", ");
	log_warn("image '%s' is for tests only: it has stand-ins for %s", image->name,
		 names);
}

/* All that a tree is rendered from. */
struct input {
	struct image image;
	struct rack rack;
	struct tree_options options;
	struct known_digests known;
	char *file, *out; /* of the rack, the tree */
};

static void input_done(struct input *in)
{
	rack_done(&in->rack);
	image_done(&in->image);
	known_files_done(&in->known);
	free(in->file);
	free(in->out);
}
#define _cleanup_input_ _cleanup_(input_done)

static int read_input(struct input *in, const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = built_image(command_arg(line, OPT_IMAGE, NULL));
	_cleanup_diag_ struct diag d = {0};

	known_files_open(&in->known, NULL);
	if (image_open(&in->image, dir, e) < 0)
		return -1;
	in->file = installed_rack(line->args[0]);
	if (rack_load_for_image(&in->rack, in->file, &in->image, &d) < 0)
		return diag_err(&d, e);
	if (image_check(&in->image, &in->known, e) < 0)
		return -1;
	warn_standins(&in->image);
	rack_warn(&in->rack);
	in->out = xstrdup(command_arg(line, OPT_OUTPUT, NULL));
	if (!in->out)
		in->out = xasprintf("tree-%s", in->rack.name);
	return 0;
}

static int render(struct input *in, struct err *e)
{
	const size_t n = in->rack.n_hosts;
	struct tree_counts counts;

	if (tree_render(&in->rack, &in->image, in->out, &in->options, &counts, e) < 0)
		return -1;
	out_line("%s: rack '%s', %zu host%s (%zu written, %zu kept), image '%s'", in->out,
		 in->rack.name, n, n == 1 ? "" : "s", counts.written, counts.kept,
		 in->image.name);
	return 0;
}

/* Prints the difference to the tree that is there, which may be none. */
static int compare(struct input *in, bool json, struct err *e)
{
	_cleanup_diff_side_ struct diff_side old = {0}, new = {0};

	if (tree_check(&in->rack, &in->image, &in->options, e) < 0)
		return diff_unable(e);
	if (access(in->out, F_OK) < 0 && errno == ENOENT)
		diff_side_none(&old, in->out);
	else if (diff_side_tree(&old, in->out, &in->image, e) < 0)
		return -1;
	diff_side_rack(&new, in->file, &in->rack, &in->image, &in->options);
	return diff_print(&old, &new, json, e);
}

static int run_pxe(const struct command_line *line, struct err *e)
{
	_cleanup_input_ struct input in = {.known = KNOWN_FILES_INIT};
	_cleanup_free_ char *records = leftovers_dir();
	bool dry = command_has(line, OPT_DRY_RUN), json = command_has(line, OPT_JSON);

	if (json && !dry)
		return err_set(e, ERR_USAGE, "pxe: option '--json' requires '--dry-run'");
	if (parse_options(&in.options, line, e) < 0)
		return -1;
	in.options.records = records;
	if (read_input(&in, line, e) < 0)
		return dry ? diff_unable(e) : -1;
	return dry ? compare(&in, json, e) : render(&in, e);
}

static const struct command_option options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .required = true,
	 .help = "the image that the hosts boot, as `rackstrap build` made it"},
	{.name = "output",
	 .letter = 'o',
	 .arg = "TREE",
	 .kind = ARG_DIR,
	 .id = OPT_OUTPUT,
	 .help = "the boot tree (default: tree-NAME); an existing one is replaced as a "
		 "whole, but keeps its reports and logs"},
	{.name = "interface",
	 .arg = "IF",
	 .id = OPT_INTERFACE,
	 .help = "answer DHCP and TFTP on this interface (default: the one with the "
		 "boot server's address)"},
	{.name = "http-port",
	 .arg = "N",
	 .id = OPT_HTTP_PORT,
	 .help = "the port that nginx listens on (default: 80)"},
	{.name = "dhcp",
	 .arg = "SERVER",
	 .choice = dhcp_server_name,
	 .id = OPT_DHCP,
	 .help = "the DHCP server (default: dnsmasq); kea requires --interface"},
	{.name = "proxy-dhcp",
	 .id = OPT_PROXY_DHCP,
	 .help = "leave addresses to another DHCP server"},
	{.name = "router-advert",
	 .id = OPT_ROUTER_ADVERT,
	 .help = "send IPv6 router advertisements, which iPXE otherwise waits for; the "
		 "interface needs an IPv6 address"},
	{.name = "keep-for",
	 .arg = "TIME",
	 .id = OPT_KEEP_FOR,
	 .help = "keep the image of the tree before that long after the last request for "
		 "it, as in 90m, 24h, 7d or 0 (default: 24h)"},
	{.name = "dry-run",
	 .id = OPT_DRY_RUN,
	 .help = "write nothing, and show the difference to the tree that is there"},
	{.name = "json",
	 .id = OPT_JSON,
	 .help = "with --dry-run: print JSON with all hosts"},
	{.name = NULL},
};

const struct command command_pxe = {
	.name = "pxe",
	.synopsis = "RACK.cfg --image DIR [-o TREE] [--interface IF] [--http-port N] "
		    "[--dhcp SERVER] [--proxy-dhcp] [--router-advert] [--keep-for TIME] "
		    "[--dry-run [--json]]",
	.summary = "render the boot tree of a rack",
	.options = options,
	.operands = {{.name = "RACK.cfg", .kind = ARG_FILE, .help = "a rack file"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_pxe,
};
