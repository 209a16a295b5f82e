/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap fetch: fetches everything that a build of a recipe needs into the cache. */
#include "builder/base/base.h"
#include "builder/commands.h"
#include "builder/common/progress.h"
#include "builder/image/build.h"
#include "builder/image/preflight.h"
#include "builder/input-args.h"
#include "builder/input/mirror-unused.h"
#include "builder/root/inputs-check.h"
#include "lib/log.h"

static int fetch_recipe(const struct input_args *a, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_cache_ struct cache c = {.fd = -1};
	_cleanup_lock_ struct lock lock = {0};
	_cleanup_inputs_ struct inputs in = {0};
	struct inputs_options io = {.mirrors = a->mirrors, .netrc = &a->netrc};
	struct base_options bo = {
		.mirrors = a->mirrors, .netrc = &a->netrc, .lock = &lock.base};
	struct stages stages;
	char size[PROGRESS_SIZE_LEN];

	stages_begin(&stages);
	if (recipe_load(&r, a->recipe, &d) == 0)
		(void)!build_lock_read(&lock, &r, a->lock, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	mirrors_warn_unused(a->mirrors, a->n_given, &r);
	if (cache_open(&c, a->cache, e) < 0 ||
	    preflight_fetch(&r, &lock, &c, a->mirrors, !a->artifacts, e) < 0 ||
	    inputs_get(&in, &r, &lock, &c, &io, e) < 0 ||
	    inputs_check(&in, &r, &c, e) < 0)
		return -1;
	stages_end(&stages, "inputs: %zu, %s, %zu of them fetched", in.n,
		   progress_size(in.bytes, size), in.fetched);
	if (a->artifacts)
		return 0;
	for (size_t i = 0; i < in.n; i++)
		if (in.v[i].artifact->use == ARTIFACT_BASE)
			bo.source = &in.v[i];
	if (base_fetch(&r, &c, &bo, e) < 0)
		return -1;
	stages_end(&stages, "base");
	return 0;
}

static int run_fetch(const struct command_line *line, struct err *e)
{
	_cleanup_input_args_ struct input_args a = {0};

	return input_args_parse(&a, line, false, e) < 0 ? -1 : fetch_recipe(&a, e);
}

static const struct command_option options[] = {
	{.name = "artifacts",
	 .id = OPT_ARTIFACTS,
	 .help = "do not fetch the packages of the base"},
	{.name = "lock",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_LOCK,
	 .help = "the digests that inputs must have (default: recipe.lock beside the "
		 "recipe)"},
	INPUT_OPTION_CACHE,
	INPUT_OPTION_MIRROR,
	INPUT_OPTION_NETRC,
	{.name = NULL},
};

const struct command command_fetch = {
	.name = "fetch",
	.synopsis = "RECIPE [--artifacts] [--lock FILE] [--cache DIR] "
		    "[--mirror PREFIX=URL]... [--netrc-file FILE]",
	.summary = "fill the cache with all that a build needs, for --offline",
	.options = options,
	.operands = {INPUT_OPERAND_RECIPE},
	.min_args = 1,
	.max_args = 1,
	.run = run_fetch,
};
