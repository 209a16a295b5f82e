/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap fetch: everything that a build of a recipe needs from elsewhere, now. */
#include "base.h"
#include "build.h"
#include "command.h"
#include "inputs.h"
#include "lib/log.h"
#include "mirror.h"
#include "progress.h"

#include <sys/stat.h>

static const struct option options[] = {
	{"artifacts", no_argument, NULL, 'a'},  {"cache", required_argument, NULL, 'c'},
	{"lock", required_argument, NULL, 'l'}, {"mirror", required_argument, NULL, 'm'},
	{"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

struct fetch_job {
	const char *cache, *lock;
	bool artifacts; /* only */
	char *const *mirrors;
};

static int fetch_recipe(const char *path, const struct fetch_job *j, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_cache_ struct cache c = {.fd = -1};
	_cleanup_lock_ struct lock lock = {0};
	_cleanup_inputs_ struct inputs in = {0};
	struct inputs_options io = {.mirrors = j->mirrors};
	struct base_options bo = {.mirrors = j->mirrors, .lock = &lock.base};
	struct stages stages;
	char size[PROGRESS_SIZE_LEN];

	stages_begin(&stages);
	umask(022);
	if (recipe_load(&r, path, &d) == 0)
		(void)!build_lock_read(&lock, &r, j->lock, &d);
	if (diag_err(&d, e) < 0 || cache_open(&c, j->cache, e) < 0 ||
	    inputs_get(&in, &r, &lock, &c, &io, e) < 0)
		return -1;
	stages_end(&stages, "inputs: %zu, %s, %zu of them fetched", in.n,
		   progress_size(in.bytes, size), in.fetched);
	if (j->artifacts)
		return 0;
	for (size_t i = 0; i < in.n; i++)
		if (in.v[i].artifact->use == ARTIFACT_BASE)
			bo.source = &in.v[i].blob;
	if (base_fetch(&r, &c, &bo, e) < 0)
		return -1;
	stages_end(&stages, "base");
	return 0;
}

static int run_fetch(const struct command *self, int argc, char **argv, struct err *e)
{
	_cleanup_strv_ char **mirrors = NULL;
	struct fetch_job j = {0};
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'a':
			j.artifacts = true;
			break;
		case 'c':
			j.cache = optarg;
			break;
		case 'l':
			j.lock = optarg;
			break;
		case 'm':
			if (mirrors_add(&mirrors, optarg, e) < 0)
				return -1;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 1)
		return err_set(
			e, ERR_USAGE,
			"fetch: name one recipe: a folder with recipe.cfg, or a file");
	if (mirrors_add_environment(&mirrors, e) < 0)
		return -1;
	j.mirrors = mirrors;
	return fetch_recipe(argv[optind], &j, e);
}

const struct command command_fetch = {
	.name = "fetch",
	.args = "RECIPE [OPTION...]",
	.summary = "fill the cache with all that a build needs, for --offline",
	.help = "  --artifacts            not what the base needs\n"
		"  --lock FILE            what the inputs must be (recipe.lock beside "
		"the recipe)\n"
		"  --cache DIR            fill this one, as build's\n"
		"  --mirror PREFIX=URL    fetch what begins with PREFIX from URL, or all "
		"from an\n"
		"                         exported cache (--mirror URL); may be "
		"repeated\n",
	.run = run_fetch,
};
