/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap pxe: a rack and an image become a boot tree (pxe/tree.h). */
#include "builder/command.h"
#include "lib/log.h"
#include "pxe/tree.h"

struct arguments {
	const char *image, *out;
	struct tree_options tree;
};

static int port_parse(const char *text, uint16_t *ret, struct err *e)
{
	uint64_t port;

	if (str_to_u64(text, 65535, &port) < 0 || port == 0)
		return err_set(e, ERR_USAGE, "--http-port: must be 1 to 65535, not '%s'",
			       text);
	*ret = (uint16_t)port;
	return 0;
}

static int arguments_parse(const struct command *self, int argc, char **argv,
			   struct arguments *a, struct err *e)
{
	static const struct option options[] = {
		{"image", required_argument, NULL, 'i'},
		{"output", required_argument, NULL, 'o'},
		{"interface", required_argument, NULL, 'I'},
		{"http-port", required_argument, NULL, 'p'},
		{"proxy-dhcp", no_argument, NULL, 'P'},
		{"router-advert", no_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'i':
			a->image = optarg;
			break;
		case 'o':
			a->out = optarg;
			break;
		case 'I':
			a->tree.interface = optarg;
			break;
		case 'p':
			if (port_parse(optarg, &a->tree.http_port, e) < 0)
				return -1;
			break;
		case 'P':
			a->tree.proxy_dhcp = true;
			break;
		case 'r':
			a->tree.router_advert = true;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 1)
		return err_set(e, ERR_USAGE, "pxe: name one rack file");
	if (!a->image)
		return err_set(e, ERR_USAGE, "pxe: name the image with --image DIR");
	if (a->tree.router_advert && !a->tree.interface)
		return err_set(e, ERR_USAGE, "pxe: --router-advert needs --interface");
	return 0;
}

static void warn_standins(const struct image *image)
{
	_cleanup_free_ char *names = NULL;

	if (!image->standins)
		return;
	names = strv_join(image->standins, ", ");
	log_warn("image '%s' rehearses: these are stand-ins in it: %s", image->name,
		 names);
}

static int run_pxe(const struct command *self, int argc, char **argv, struct err *e)
{
	_cleanup_image_ struct image image = {0};
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *out = NULL;
	struct arguments a = {0};

	if (arguments_parse(self, argc, argv, &a, e) < 0 ||
	    image_open(&image, a.image, e) < 0)
		return -1;
	if (rack_load(&rack, argv[optind], &image.roles, &d) < 0)
		return diag_err(&d, e);
	warn_standins(&image);
	out = a.out ? xstrdup(a.out) : xasprintf("tree-%s", rack.name);
	if (tree_render(&rack, &image, out, &a.tree, e) < 0)
		return -1;
	printf("%s: rack '%s', %zu host%s, image '%s'\n", out, rack.name, rack.n_hosts,
	       rack.n_hosts == 1 ? "" : "s", image.name);
	return 0;
}

const struct command command_pxe = {
	.name = "pxe",
	.args = "RACK.cfg --image DIR [OPTION...]",
	.summary = "render the boot tree of a rack",
	.help = "  --image DIR       the image the hosts boot, as `rackstrap build` made "
		"it\n"
		"  -o, --output DIR  the boot tree (default: tree-NAME); one that is "
		"there is\n"
		"                    replaced as a whole, its reports and logs are kept\n"
		"  --interface IF    DHCP and TFTP answer on IF (default: on the "
		"interface\n"
		"                    that has the boot server's address)\n"
		"  --http-port N     nginx listens on N (default: 80)\n"
		"  --proxy-dhcp      another DHCP server gives out addresses\n"
		"  --router-advert   send IPv6 router advertisements, for which iPXE "
		"waits\n"
		"                    otherwise; IF needs an IPv6 address\n",
	.run = run_pxe,
};
