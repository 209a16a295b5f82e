/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap check: finds every mistake in rack files before a machine is switched on.
 * Logs each mistake as a line on standard error, unless the output has them; what goes to
 * standard output is a row of `outputs`, see check-output.h.
 */
#include "builder/check-output.h"
#include "builder/commands.h"
#include "builder/installed.h"
#include "builder/recipe/recipe.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/out.h"
#include "pxe/rack-image.h"

#include <unistd.h>

/* The options by which roles are found; each may be NULL. */
struct source {
	struct image *image;
	const struct recipe *recipe;
};

struct result {
	size_t mistakes, bad_files;
	struct diag unread; /* files that could not be read */
};

/* Returns the path of another file, recipe.cfg in the rack file's folder, or NULL if it
 * has none. Owned. */
static char *recipe_beside(const char *path)
{
	_cleanup_free_ char *recipe = file_beside(path, "recipe.cfg");

	return access(recipe, F_OK) == 0 && !streq(recipe, path) ? TAKE_PTR(recipe)
								 : NULL;
}

static int load_for_recipe(struct rack *rack, const struct rack_settings *s,
			   const struct recipe *recipe, struct diag *d)
{
	return rack_load_settings(rack, s, &recipe->roles, true, d) < 0 ||
			       rack_check_templates(rack, &recipe->roles,
						    &recipe->compiled, d) < 0
		       ? -1
		       : 0;
}

/* Checks the file with the image, or with a recipe: that of --recipe or the
 * one beside it, or with no roles: then sets *ret_any. Returns 0 or -1. */
static int load(struct rack *rack, const char *path, const struct rack_settings *s,
		const struct source *from, bool *ret_any, struct diag *d)
{
	static const struct roles any = {.any = true};
	_cleanup_free_ char *file = NULL;
	_cleanup_recipe_ struct recipe recipe = {0};

	if (from->image)
		return rack_load_settings(rack, s, &from->image->roles, true, d) < 0 ||
				       rack_check_image(rack, from->image, d) < 0
			       ? -1
			       : 0;
	if (from->recipe)
		return load_for_recipe(rack, s, from->recipe, d);
	file = recipe_beside(path);
	if (file && recipe_load(&recipe, file, d) < 0)
		return -1;
	if (recipe.roles.n > 0)
		return load_for_recipe(rack, s, &recipe, d);
	*ret_any = true;
	return rack_load_settings(rack, s, &any, true, d);
}

/* Counts the mistakes of a file, and logs them unless the output has them. */
static void add_mistakes(struct result *res, struct diag *d, bool is_quiet)
{
	if (d->unread) {
		diag_move(&res->unread, d);
		return;
	}
	if (!is_quiet)
		log_diag(LOG_LEVEL_ERROR, d);
	res->mistakes += diag_count(d);
	res->bad_files++;
}

static int check_file(const char *path, const struct source *from,
		      struct check_printer *p, struct result *res, struct err *e)
{
	const bool has_problems = p->output->has_problems;
	_cleanup_diag_ struct diag d = {.whole = has_problems},
				   warnings = {.whole = has_problems};
	_cleanup_rack_settings_ struct rack_settings settings = {0};
	_cleanup_rack_ struct rack rack = {0};
	struct checked f = {.path = path,
			    .settings = &settings,
			    .mistakes = &d,
			    .warnings = &warnings};

	if (rack_settings_read(&settings, path, &d) == 0 &&
	    load(&rack, path, &settings, from, &f.any_roles, &d) == 0) {
		rack_warnings(&rack, &warnings);
		f.rack = &rack;
	}
	if (!has_problems)
		log_diag(LOG_LEVEL_WARN, &warnings);
	if (p->output->file && p->output->file(p, &f, e) < 0)
		return -1;
	if (!f.rack)
		add_mistakes(res, &d, has_problems);
	return 0;
}

/* --- output ----------------------------------------------------------------------- */

static int print_line(struct check_printer *p _unused_, const struct checked *f,
		      struct err *e _unused_)
{
	if (f->rack)
		out_line("%s: %zu host%s, ok%s", f->path, f->rack->n_hosts,
			 f->rack->n_hosts == 1 ? "" : "s",
			 f->any_roles ? " (no image was asked: --image or --recipe "
					"checks roles and features)"
				      : "");
	return 0;
}

static const struct check_output check_text = {.file = print_line};

static const struct check_output *const outputs[] = {&check_json, &check_expand,
						     &check_explain, &check_svg};

/* Sets the output to that of the options. Returns 0, or -1 with `e` set. */
static int choose_output(const struct command_line *line, struct check_printer *ret,
			 struct err *e)
{
	ret->output = &check_text;
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		const struct check_output *o = outputs[i];

		if (!command_has(line, o->id))
			continue;
		if (ret->output->option)
			return err_set(e, ERR_USAGE,
				       "check: options '--%s' and '--%s' exclude each "
				       "other: standard output has one of them",
				       ret->output->option, o->option);
		if (o->one_file && line->n_args > 1)
			return err_set(e, ERR_USAGE,
				       "check: option '--%s' takes one rack file, not "
				       "%zu",
				       o->option, line->n_args);
		ret->output = o;
		ret->arg = command_arg(line, o->id, NULL);
	}
	return 0;
}

/* Checks all files and prints their output. Returns 0, or -1 with `e` set if that could
 * not be made. */
static int check_files(const struct command_line *line, const struct source *from,
		       struct check_printer *p, struct result *res, struct err *e)
{
	if (p->output->begin && p->output->begin(p, e) < 0)
		return -1;
	for (size_t i = 0; i < line->n_args; i++) {
		_cleanup_free_ char *path = installed_rack(line->args[i]);

		if (check_file(path, from, p, res, e) < 0)
			return -1;
	}
	return p->output->end ? p->output->end(p, e) : 0;
}

/* --- the command ------------------------------------------------------------------ */

/* Reads the recipe of --recipe, which must have roles. */
static int load_recipe(struct recipe *recipe, const char *name, struct err *e)
{
	_cleanup_free_ char *path = NULL, *lock = NULL;
	_cleanup_diag_ struct diag d = {0};

	if (installed_recipe(name, &path, &lock, e) < 0)
		return -1;
	if (recipe_load(recipe, path, &d) < 0)
		return diag_err(&d, e);
	if (recipe->roles.n == 0)
		return err_set(e, ERR_CONFIG,
			       "%s: has no roles: no host can boot its image",
			       recipe->file);
	return 0;
}

/* Makes one error of all mistakes. Returns 0, or -1 with `e` set. */
static int verdict(const struct result *res, struct err *e)
{
	if (res->bad_files == 0)
		return diag_err(&res->unread, e);
	log_diag(LOG_LEVEL_ERROR, &res->unread);
	return err_set(e, ERR_CONFIG, "%zu mistake%s in %zu file%s", res->mistakes,
		       res->mistakes == 1 ? "" : "s", res->bad_files,
		       res->bad_files == 1 ? "" : "s");
}

static int run_check(const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = built_image(command_arg(line, OPT_IMAGE, NULL));
	const char *name = command_arg(line, OPT_RECIPE, NULL);
	_cleanup_recipe_ struct recipe recipe = {0};
	_cleanup_image_ struct image image = {0};
	const struct source from = {dir ? &image : NULL, name ? &recipe : NULL};
	struct check_printer printer = {.output = NULL};
	struct result res = {0};
	int r;

	if (dir && name)
		return err_set(
			e, ERR_USAGE,
			"check: options '--image' and '--recipe' exclude each other: "
			"an image has the roles of its recipe");
	if (choose_output(line, &printer, e) < 0)
		return -1;
	if (dir && image_open(&image, dir, e) < 0)
		return -1;
	if (name && load_recipe(&recipe, name, e) < 0)
		return -1;
	r = check_files(line, &from, &printer, &res, e);
	if (r == 0)
		r = verdict(&res, e);
	diag_done(&res.unread);
	json_done(&printer.json);
	return r;
}

static const struct command_option options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .help = "accept the roles of this image (default: those of recipe.cfg beside "
		 "the rack file, else any)"},
	{.name = "recipe",
	 .arg = "RECIPE",
	 .kind = ARG_DIR,
	 .id = OPT_RECIPE,
	 .help = "accept the roles of this recipe, whose image need not be built"},
	{.name = "json",
	 .id = OPT_JSON,
	 .help = "print JSON: each file's result and each of its mistakes and warnings"},
	{.name = "expand",
	 .id = OPT_EXPAND,
	 .help = "print the rack file with an entry for each host, without ranges, "
		 "profiles, tables and included files"},
	{.name = "explain",
	 .arg = "HOST",
	 .id = OPT_EXPLAIN,
	 .help = "print every value of a host, by name or MAC address, with the file and "
		 "line that it is from"},
	{.name = "svg",
	 .id = OPT_SVG,
	 .help = "print a picture of the rack: its networks, and its hosts by role"},
	{.name = NULL},
};

const struct command command_check = {
	.name = "check",
	.synopsis = "RACK.cfg... [--image DIR | --recipe RECIPE] "
		    "[--json | --expand | --explain HOST | --svg]",
	.summary = "report everything that is wrong with rack files",
	.options = options,
	.operands = {{.name = "RACK.cfg", .kind = ARG_FILE, .help = "a rack file"}},
	.min_args = 1,
	.max_args = COMMAND_ANY,
	.run = run_check,
};
