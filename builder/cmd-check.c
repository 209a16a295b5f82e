/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap check: finds every mistake in rack files before a machine is switched on.
 * Prints each mistake as a line on standard error, and a line on standard output for each
 * file without mistakes.
 */
#include "builder/commands.h"
#include "builder/installed.h"
#include "builder/recipe/recipe.h"
#include "lib/log.h"
#include "lib/out.h"
#include "pxe/rack-image.h"

#include <unistd.h>

enum {
	OPT_IMAGE = 1,
};

struct result {
	size_t mistakes, bad_files;
	struct diag unread; /* files that could not be read */
};

/* Returns the path of another file, recipe.cfg in the rack file's folder, or NULL if it
 * has none. Owned. */
static char *recipe_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *recipe =
		xasprintf("%.*srecipe.cfg", slash ? (int)(slash + 1 - path) : 0, path);

	return access(recipe, F_OK) == 0 && !streq(recipe, path) ? TAKE_PTR(recipe)
								 : NULL;
}

/* Checks the file with the image, or with the roles of the recipe beside it, or with no
 * roles: then sets *ret_any. Returns 0 or -1. */
static int load(struct rack *rack, const char *path, struct image *image, bool *ret_any,
		struct diag *d)
{
	static const struct roles any = {.any = true};
	_cleanup_free_ char *file = image ? NULL : recipe_beside(path);
	_cleanup_recipe_ struct recipe recipe = {0};

	if (image)
		return rack_load(rack, path, &image->roles, d) < 0 ||
				       rack_check_image(rack, image, d) < 0
			       ? -1
			       : 0;
	if (file && recipe_load(&recipe, file, d) < 0)
		return -1;
	if (recipe.roles.n > 0)
		return rack_load(rack, path, &recipe.roles, d);
	*ret_any = true;
	return rack_load(rack, path, &any, d);
}

/* `image`: that of --image, or NULL. */
static void check_file(const char *path, struct image *image, struct result *res)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	bool any = false;

	if (load(&rack, path, image, &any, &d) == 0) {
		rack_warn(&rack);
		out_line("%s: %zu host%s, ok%s", path, rack.n_hosts,
			 rack.n_hosts == 1 ? "" : "s",
			 any ? " (no image was asked: --image checks roles and features)"
			     : "");
		return;
	}
	if (d.unread) {
		diag_move(&res->unread, &d);
		return;
	}
	log_diag(LOG_LEVEL_ERROR, &d);
	res->mistakes += diag_count(&d);
	res->bad_files++;
}

static int run_check(const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = built_image(command_arg(line, OPT_IMAGE, NULL));
	_cleanup_image_ struct image image = {0};
	struct result res = {0};
	int r;

	if (dir && image_open(&image, dir, e) < 0)
		return -1;
	for (size_t i = 0; i < line->n_args; i++) {
		_cleanup_free_ char *path = installed_rack(line->args[i]);

		check_file(path, dir ? &image : NULL, &res);
	}
	if (res.bad_files == 0)
		r = diag_err(&res.unread, e);
	else {
		log_diag(LOG_LEVEL_ERROR, &res.unread);
		r = err_set(e, ERR_CONFIG, "%zu mistake%s in %zu file%s", res.mistakes,
			    res.mistakes == 1 ? "" : "s", res.bad_files,
			    res.bad_files == 1 ? "" : "s");
	}
	diag_done(&res.unread);
	return r;
}

static const struct command_option options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .help = "accept the roles of this image (default: those of recipe.cfg beside "
		 "the rack file, else any)"},
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
