/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap fetch: everything that a build of a recipe needs from elsewhere, now. */
#include "builder/base/base.h"
#include "builder/common/progress.h"
#include "builder/image/build.h"
#include "builder/input-args.h"
#include "builder/root/inputs-check.h"
#include "lib/log.h"

#include <sys/stat.h>

static int fetch_recipe(const struct input_args *a, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_cache_ struct cache c = {.fd = -1};
	_cleanup_lock_ struct lock lock = {0};
	_cleanup_inputs_ struct inputs in = {0};
	struct inputs_options io = {.mirrors = a->mirrors};
	struct base_options bo = {.mirrors = a->mirrors, .lock = &lock.base};
	struct stages stages;
	char size[PROGRESS_SIZE_LEN];

	stages_begin(&stages);
	umask(022);
	if (recipe_load(&r, a->recipe, &d) == 0)
		(void)!build_lock_read(&lock, &r, a->lock, &d);
	if (diag_err(&d, e) < 0 || cache_open(&c, a->cache, e) < 0 ||
	    inputs_get(&in, &r, &lock, &c, &io, e) < 0 ||
	    inputs_check(&in, &r, &c, e) < 0)
		return -1;
	stages_end(&stages, "inputs: %zu, %s, %zu of them fetched", in.n,
		   progress_size(in.bytes, size), in.fetched);
	if (a->artifacts)
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
	_cleanup_input_args_ struct input_args a = {0};

	return input_args_parse(&a, self, argc, argv, e) < 0 ? -1 : fetch_recipe(&a, e);
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
