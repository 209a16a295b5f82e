/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap build: options, and then build.c. */
#include "builder/command.h"
#include "builder/image/build.h"
#include "builder/input/mirror.h"
#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe-media.h"

#include <limits.h>

static const struct option options[] = {
	{"out", required_argument, NULL, 'o'},
	{"cache", required_argument, NULL, 'c'},
	{"lock", required_argument, NULL, 'l'},
	{"mirror", required_argument, NULL, 'm'},
	{"firstboot", required_argument, NULL, 'f'},
	{"offline", no_argument, NULL, 'O'},
	{"refresh", no_argument, NULL, 'r'},
	{"image", required_argument, NULL, 'i'},
	{"host", required_argument, NULL, 'H'},
	{"rack", required_argument, NULL, 'R'},
	{"sector-size", required_argument, NULL, 's'},
	{"format", required_argument, NULL, 'F'},
	{"dry-run", no_argument, NULL, 'n'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* Beside this program (a build tree), or where `make install` puts it. Owned. */
static char *find_firstboot(void)
{
	static const char *const places[] = {"firstboot",
					     "../libexec/rackstrap/firstboot"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path = NULL, *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return xstrdup(places[0]);
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		free(path);
		path = xasprintf("%s/%s", self, places[i]);
		if (access(path, F_OK) == 0)
			return path;
	}
	free(path);
	return xasprintf("%s/%s", self, places[0]);
}

static int dry_run(const struct recipe *r)
{
	_cleanup_free_ char *text = recipe_describe(r);

	fputs(text, stdout);
	return 0;
}

/* What the command line says of outputs, over what the recipe says; `argv` keeps it. */
struct wanted {
	const struct image_type *images[16];
	size_t n_images;
	char **formats;
	const char *host, *rack;
	uint32_t sector_size;
};

static void wanted_done(struct wanted *w)
{
	strv_free(w->formats);
}

static int want_image(struct wanted *w, const char *name, struct err *e)
{
	const struct image_type *type = image_type_find(name);

	if (!type)
		return err_set(e, ERR_USAGE, "--image: no image type '%s' (known: %s)",
			       name, image_type_names());
	for (size_t i = 0; i < w->n_images; i++)
		if (w->images[i] == type)
			return 0;
	w->images[w->n_images++] = type;
	return 0;
}

static int want_sector_size(struct wanted *w, const char *text, struct err *e)
{
	uint64_t n = 0;

	if (str_to_u64(text, UINT32_MAX, &n) < 0 || !media_is_sector_size(n))
		return err_set(e, ERR_USAGE,
			       "--sector-size: must be 512 or 4096, not "
			       "'%s'",
			       text);
	w->sector_size = (uint32_t)n;
	return 0;
}

static int want_format(struct wanted *w, const char *text, struct err *e)
{
	if (!media_is_format(text))
		return err_set(e, ERR_USAGE,
			       "--format: must be raw, qcow2 or zst, not '%s'", text);
	strv_add(&w->formats, text);
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

static void apply_wanted(struct recipe *r, const struct wanted *w)
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

static bool makes_medium(const struct recipe *r)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (r->images[i]->medium)
			return true;
	return false;
}

static int load_and_build(const char *path, const struct build_options *o,
			  const struct wanted *w, bool dry, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};

	if (recipe_load(&r, path, &d) == 0) {
		apply_wanted(&r, w);
		recipe_check_media(&r, &d);
	}
	if (diag_err(&d, e) < 0)
		return -1;
	if ((w->host || w->rack || w->formats || w->sector_size) && !makes_medium(&r))
		return err_set(
			e, ERR_USAGE,
			"build: --host, --rack, --format and --sector-size are for "
			"disks and ISOs: add --image disk or --image iso");
	return dry ? dry_run(&r) : build(&r, o, e);
}

static int run_build(const struct command *self, int argc, char **argv, struct err *e)
{
	_cleanup_strv_ char **mirrors = NULL;
	_cleanup_free_ char *firstboot = find_firstboot();
	struct build_options o = {.out = "out", .firstboot = firstboot};
	_cleanup_(wanted_done) struct wanted w = {0};
	bool dry = false;
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'o':
			o.out = optarg;
			break;
		case 'c':
			o.cache = optarg;
			break;
		case 'l':
			o.lock = optarg;
			break;
		case 'f':
			o.firstboot = optarg;
			break;
		case 'm':
			if (mirrors_add(&mirrors, optarg, e) < 0)
				return -1;
			break;
		case 'O':
			o.offline = true;
			break;
		case 'r':
			o.refresh = true;
			break;
		case 'i':
			if (want_image(&w, optarg, e) < 0)
				return -1;
			break;
		case 'H':
			w.host = optarg;
			break;
		case 'R':
			w.rack = optarg;
			break;
		case 's':
			if (want_sector_size(&w, optarg, e) < 0)
				return -1;
			break;
		case 'F':
			if (want_format(&w, optarg, e) < 0)
				return -1;
			break;
		case 'n':
			dry = true;
			break;
		case 'j':
			o.json = true;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 1)
		return err_set(
			e, ERR_USAGE,
			"build: name one recipe: a folder with recipe.cfg, or a file");
	if (o.offline && o.refresh)
		return err_set(e, ERR_USAGE,
			       "build: --refresh makes the base anew, which --offline "
			       "forbids");
	if (mirrors_add_environment(&mirrors, e) < 0)
		return -1;
	o.mirrors = mirrors;
	if (w.host && w.rack)
		return err_set(e, ERR_USAGE,
			       "build: --host or --rack: a medium is for one host or for "
			       "a rack");
	return load_and_build(argv[optind], &o, &w, dry, e);
}

const struct command command_build = {
	.name = "build",
	.args = "RECIPE [OPTION...]",
	.summary = "make an image from a recipe",
	.help = "  --out DIR              the image becomes DIR/<recipe's name> (out)\n"
		"  --cache DIR            keep inputs and bases here ($RACKSTRAP_CACHE,\n"
		"                         $XDG_CACHE_HOME/rackstrap, "
		"~/.cache/rackstrap)\n"
		"  --lock FILE            what the inputs must be (recipe.lock beside "
		"the recipe)\n"
		"  --mirror PREFIX=URL    fetch what begins with PREFIX from URL, or all "
		"from an\n"
		"                         exported cache (--mirror URL); may be "
		"repeated\n"
		"  --offline              fetch nothing: inputs and base are in the "
		"cache\n"
		"  --refresh              make the base anew\n"
		"  --firstboot FILE       the program that configures hosts (beside "
		"rackstrap)\n"
		"  --image TYPE           make this output, not those of the recipe; may "
		"be\n"
		"                         repeated: pxe, disk, iso\n"
		"  --host FILE            a disk or ISO is for the host of this "
		"host.cfg\n"
		"  --rack FILE            a disk or ISO is for the hosts of this "
		"rack.cfg\n"
		"  --sector-size N        a disk has sectors of 512 or 4096 bytes (512)\n"
		"  --format FORMAT        a disk is raw, qcow2 or zst; may be repeated "
		"(raw)\n"
		"  --dry-run              print what would be built\n"
		"  --json                 print the summary as JSON\n",
	.run = run_build,
};
