/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap check: finds every mistake in rack files before a machine is switched on.
 * Prints each mistake as a line on standard error, and a line on standard output for each
 * file without mistakes.
 */
#include "builder/commands.h"
#include "builder/installed.h"
#include "lib/log.h"
#include "lib/out.h"
#include "pxe/image.h"
#include "pxe/rack.h"

enum {
	OPT_IMAGE = 1,
};

/* Adds the number of mistakes to *wrong. Returns 0 when there is none, else -1. */
static int check_file(const char *path, const struct roles *roles, size_t *wrong)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};

	if (rack_load(&rack, path, roles, &d) == 0) {
		out_line("%s: %zu host%s, ok", path, rack.n_hosts,
			 rack.n_hosts == 1 ? "" : "s");
		return 0;
	}
	for (size_t i = 0; i < d.n; i++)
		log_error("%s", d.lines[i]);
	*wrong += d.n;
	return -1;
}

static int run_check(const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = built_image(command_arg(line, OPT_IMAGE, NULL));
	_cleanup_image_ struct image image = {0};
	_cleanup_roles_ struct roles builtin = {0};
	size_t wrong = 0, bad_files = 0;

	roles_builtin(&builtin);
	if (dir && image_open(&image, dir, e) < 0)
		return -1;
	for (size_t i = 0; i < line->n_args; i++) {
		_cleanup_free_ char *path = installed_rack(line->args[i]);

		if (check_file(path, dir ? &image.roles : &builtin, &wrong) < 0)
			bad_files++;
	}
	if (bad_files == 0)
		return 0;
	return err_set(e, ERR_CONFIG, "%zu mistake%s in %zu file%s", wrong,
		       wrong == 1 ? "" : "s", bad_files, bad_files == 1 ? "" : "s");
}

static const struct command_option options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .help = "accept the roles of this image instead of the built-in master and "
		 "node"},
	{.name = NULL},
};

const struct command command_check = {
	.name = "check",
	.synopsis = "RACK.cfg... [--image DIR]",
	.summary = "report everything that is wrong with rack files",
	.options = options,
	.operands = {{.name = "RACK.cfg", .kind = ARG_FILE, .help = "a rack file"}},
	.min_args = 1,
	.max_args = COMMAND_ANY,
	.run = run_check,
};
