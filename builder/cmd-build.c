/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap build: options, and then build.c. */
#include "build.h"
#include "command.h"
#include "mirror.h"

#include <limits.h>

static const struct option options[] = {
	{"out", required_argument, NULL, 'o'},
	{"cache", required_argument, NULL, 'c'},
	{"lock", required_argument, NULL, 'l'},
	{"mirror", required_argument, NULL, 'm'},
	{"firstboot", required_argument, NULL, 'f'},
	{"offline", no_argument, NULL, 'O'},
	{"refresh", no_argument, NULL, 'r'},
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

static int load_and_build(const char *path, const struct build_options *o, bool dry,
			  struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)!recipe_load(&r, path, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	return dry ? dry_run(&r) : build(&r, o, e);
}

static int run_build(const struct command *self, int argc, char **argv, struct err *e)
{
	_cleanup_strv_ char **mirrors = NULL;
	_cleanup_free_ char *firstboot = find_firstboot();
	struct build_options o = {.out = "out", .firstboot = firstboot};
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
	return load_and_build(argv[optind], &o, dry, e);
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
		"  --mirror PREFIX=URL    fetch what begins with PREFIX from URL; may be "
		"repeated\n"
		"  --offline              fetch nothing: inputs and base are in the "
		"cache\n"
		"  --refresh              make the base anew\n"
		"  --firstboot FILE       the program that configures hosts (beside "
		"rackstrap)\n"
		"  --dry-run              print what would be built\n"
		"  --json                 print the summary as JSON\n",
	.run = run_build,
};
