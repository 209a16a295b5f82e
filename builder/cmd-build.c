/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap build: reads the recipe, replaces the settings that options give, and passes
 * it to build() (builder/image/build.c).
 */
#include "builder/commands.h"
#include "builder/common/disk-format.h"
#include "builder/image/preflight.h"
#include "builder/input-args.h"
#include "builder/input/mirror-unused.h"
#include "builder/installed.h"
#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe-media.h"
#include "lib/out.h"

enum {
	OPT_OUT = OPT_FIRST_OWN,
	OPT_FIRSTBOOT,
	OPT_OFFLINE,
	OPT_REFRESH,
	OPT_VERIFY,
	OPT_TYPE,
	OPT_HOST,
	OPT_RACK,
	OPT_SECTOR_SIZE,
	OPT_FORMAT,
	OPT_DRY_RUN,
	OPT_JSON,
};

/* Returns the path of firstboot: beside this program, as in a build folder and where
 * `make install` puts it. Owned. */
static char *find_firstboot(void)
{
	_cleanup_free_ char *dir = installed_program_dir();

	return dir ? xasprintf("%s/firstboot", dir) : xstrdup("firstboot");
}

/* Prints the plan, and checks what build() would check before it makes anything. */
static int dry_run(const struct recipe *r, const struct build_options *o, struct err *e)
{
	_cleanup_free_ char *text =
		o->json ? recipe_describe_json(r) : recipe_describe(r);
	_cleanup_preflight_ struct preflight p = PREFLIGHT_INIT;

	out_text(text);
	return preflight(&p, r, o, true, e);
}

/* The options that replace settings of the recipe. Their strings are argv's. */
struct overrides {
	const struct image_type *images[16];
	size_t n_images;
	char **formats;
	const char *host, *rack;
	uint32_t sector_size;
	size_t n_mirrors; /* of the command line */
};

static void overrides_done(struct overrides *o)
{
	strv_free(o->formats);
}

static void add_image(struct overrides *o, const struct image_type *type)
{
	for (size_t i = 0; i < o->n_images; i++)
		if (o->images[i] == type)
			return;
	if (o->n_images < ARRAY_SIZE(o->images))
		o->images[o->n_images++] = type;
}

static const char *sector_size_choice(size_t i)
{
	static const char *const sizes[] = {"512", "4096"};

	return i < ARRAY_SIZE(sizes) ? sizes[i] : NULL;
}

static int overrides_parse(struct overrides *ret, const struct command_line *line,
			   struct err *e)
{
	uint64_t sector_size = 0;
	const char *arg;

	for (size_t i = 0; (arg = command_arg_at(line, OPT_TYPE, i)); i++)
		add_image(ret, image_type_find(arg));
	for (size_t i = 0; (arg = command_arg_at(line, OPT_FORMAT, i)); i++)
		strv_add(&ret->formats, arg);
	ret->host = command_arg(line, OPT_HOST, NULL);
	ret->rack = command_arg(line, OPT_RACK, NULL);
	if (command_number(line, OPT_SECTOR_SIZE, 512, 4096, "", &sector_size, e) < 0)
		return -1;
	ret->sector_size = (uint32_t)sector_size;
	if (ret->host && ret->rack)
		return err_set(e, ERR_USAGE,
			       "build: options '--host' and '--rack' exclude each other: "
			       "a disk or ISO is for one host or for a rack");
	return 0;
}

static void replace_file(char **dst, char **other, const char *path)
{
	if (!path)
		return;
	free(*dst);
	*dst = xstrdup(path);
	free(*other);
	*other = NULL;
}

static void overrides_apply(struct recipe *r, const struct overrides *w)
{
	if (w->n_images > 0) {
		free(r->images);
		r->images = xcalloc(w->n_images, sizeof(*r->images));
		memcpy(r->images, w->images, w->n_images * sizeof(*r->images));
		r->n_images = w->n_images;
	}
	if (w->formats) {
		strv_free(r->media.formats);
		r->media.formats = strv_dup(w->formats);
	}
	if (w->sector_size)
		r->media.sector_size = w->sector_size;
	replace_file(&r->media.host, &r->media.rack, w->host);
	replace_file(&r->media.rack, &r->media.host, w->rack);
}

static bool builds_medium(const struct recipe *r)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (r->images[i]->medium)
			return true;
	return false;
}

static int load_and_build(const char *path, const struct build_options *o,
			  const struct overrides *w, bool dry, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};

	if (recipe_load(&r, path, &d) == 0) {
		overrides_apply(&r, w);
		recipe_media_check(&r, w->host || w->rack, &d);
	}
	if (diag_err(&d, e) < 0)
		return -1;
	if ((w->host || w->rack || w->formats || w->sector_size) && !builds_medium(&r))
		return err_set(
			e, ERR_USAGE,
			"build: options '--host', '--rack', '--format' and "
			"'--sector-size' are for disks and ISOs: add --type disk or "
			"--type iso");
	if (builds_medium(&r))
		recipe_media_warn(&r);
	mirrors_warn_unused(o->mirrors, w->n_mirrors, &r);
	return dry ? dry_run(&r, o, e) : build(&r, o, e);
}

static int run_build(const struct command_line *line, struct err *e)
{
	_cleanup_strv_ char **mirrors = NULL;
	_cleanup_netrc_ struct netrc netrc = {0};
	_cleanup_free_ char *firstboot = find_firstboot(), *recipe = NULL, *lock = NULL;
	_cleanup_(overrides_done) struct overrides w = {0};
	struct build_options o = {
		.out = command_arg(line, OPT_OUT, "out"),
		.cache = command_arg(line, OPT_CACHE, NULL),
		.firstboot = command_arg(line, OPT_FIRSTBOOT, firstboot),
		.offline = command_has(line, OPT_OFFLINE),
		.refresh = command_has(line, OPT_REFRESH),
		.verify = command_has(line, OPT_VERIFY),
		.json = command_has(line, OPT_JSON),
	};

	if (input_args_mirrors(&mirrors, line, e) < 0 ||
	    input_args_netrc(&netrc, line, e) < 0 || overrides_parse(&w, line, e) < 0)
		return -1;
	if (input_args_recipe(line->args[0], false, &recipe, &lock, e) < 0)
		return -1;
	o.lock = command_arg(line, OPT_LOCK, lock);
	o.mirrors = mirrors;
	w.n_mirrors = input_args_given_mirrors(line);
	o.netrc = &netrc;
	if (o.offline && o.refresh)
		return err_set(e, ERR_USAGE,
			       "build: options '--offline' and '--refresh' exclude each "
			       "other: a new base needs the network");
	return load_and_build(recipe, &o, &w, command_has(line, OPT_DRY_RUN), e);
}

static const struct command_option options[] = {
	{.name = "output",
	 .letter = 'o',
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_OUT,
	 .help = "put the image into DIR/NAME, NAME being the recipe's (default: out)"},
	INPUT_OPTION_CACHE,
	{.name = "lock",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_LOCK,
	 .help = "the digests that inputs must have (default: recipe.lock beside the "
		 "recipe)"},
	INPUT_OPTION_MIRROR,
	INPUT_OPTION_NETRC,
	{.name = "offline",
	 .id = OPT_OFFLINE,
	 .help = "fetch nothing: inputs and base must be in the cache"},
	{.name = "refresh", .id = OPT_REFRESH, .help = "make the base again"},
	{.name = "verify",
	 .id = OPT_VERIFY,
	 .help = "read every file of the cache and compare its digest, and make the "
		 "image, "
		 "even if nothing changed since the last build"},
	{.name = "firstboot",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_FIRSTBOOT,
	 .help = "the firstboot program to put into the image (default: the one beside "
		 "rackstrap)"},
	{.name = "type",
	 .arg = "TYPE",
	 .choice = image_type_name,
	 .id = OPT_TYPE,
	 .help = "the output, instead of the recipe's; may be repeated"},
	{.name = "host",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_HOST,
	 .help = "put this host.cfg on a disk or ISO"},
	{.name = "rack",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_RACK,
	 .help = "put this rack.cfg on a disk or ISO"},
	{.name = "sector-size",
	 .arg = "N",
	 .choice = sector_size_choice,
	 .id = OPT_SECTOR_SIZE,
	 .help = "the size of a disk's sectors in bytes, instead of the recipe's"},
	{.name = "format",
	 .arg = "FORMAT",
	 .choice = disk_format_name,
	 .id = OPT_FORMAT,
	 .help = "the format of a disk, instead of the recipe's; may be repeated"},
	{.name = "dry-run",
	 .id = OPT_DRY_RUN,
	 .help = "print what would be built, check what can be checked, and build "
		 "nothing"},
	{.name = "json",
	 .id = OPT_JSON,
	 .help = "print the summary, or with --dry-run the plan, as JSON"},
	{.name = NULL},
};

static const struct command_renamed renamed[] = {{"image", "type"}, {NULL, NULL}};

const struct command command_build = {
	.name = "build",
	.synopsis =
		"RECIPE [-o DIR] [--cache DIR] [--lock FILE] "
		"[--mirror PREFIX=URL]... [--netrc-file FILE] [--offline] [--refresh] "
		"[--verify] [--firstboot FILE] [--type TYPE]... "
		"[--host FILE | --rack FILE] [--sector-size N] "
		"[--format FORMAT]... [--dry-run] [--json]",
	.summary = "make an image from a recipe",
	.options = options,
	.renamed = renamed,
	.operands = {INPUT_OPERAND_RECIPE},
	.min_args = 1,
	.max_args = 1,
	.run = run_build,
};
