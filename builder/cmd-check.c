/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap check: everything that is wrong with rack files, all of it, before a machine
 * is switched on. Complaints are lines on standard error; a file without any is a line on
 * standard output.
 */
#include "builder/command.h"
#include "lib/log.h"
#include "pxe/image.h"
#include "pxe/rack.h"

static int check_file(const char *path, const struct roles *roles, size_t *wrong)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};

	if (rack_load(&rack, path, roles, &d) == 0) {
		printf("%s: %zu host%s, ok\n", path, rack.n_hosts,
		       rack.n_hosts == 1 ? "" : "s");
		return 0;
	}
	for (size_t i = 0; i < d.n; i++)
		log_error("%s", d.lines[i]);
	*wrong += d.n;
	return -1;
}

static int run_check(const struct command *self, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {{"image", required_argument, NULL, 'i'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	_cleanup_image_ struct image image = {0};
	_cleanup_roles_ struct roles builtin = {0};
	const struct roles *roles = &builtin;
	size_t wrong = 0, bad_files = 0;
	int c;

	roles_builtin(&builtin);
	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		if (c != 'i')
			return -1;
		image_done(&image);
		if (image_open(&image, optarg, e) < 0)
			return -1;
		roles = &image.roles;
	}
	if (optind == argc)
		return err_set(e, ERR_USAGE, "check: name a rack file");
	for (int i = optind; i < argc; i++)
		if (check_file(argv[i], roles, &wrong) < 0)
			bad_files++;
	if (bad_files == 0)
		return 0;
	return err_set(e, ERR_CONFIG, "%zu mistake%s in %zu file%s", wrong,
		       wrong == 1 ? "" : "s", bad_files, bad_files == 1 ? "" : "s");
}

const struct command command_check = {
	.name = "check",
	.args = "RACK.cfg... [--image DIR]",
	.summary = "say everything that is wrong with rack files",
	.help = "  --image DIR       take the roles a host may have from this image, not "
		"the\n"
		"                    built-in master and node\n",
	.run = run_check,
};
