/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap lock: fetches a recipe's inputs, asks apt for its packages, and writes the
 * digests of both into recipe.lock. */
#include "builder/base/base.h"
#include "builder/commands.h"
#include "builder/common/progress.h"
#include "builder/image/build.h"
#include "builder/input-args.h"
#include "builder/input/mirror-unused.h"
#include "builder/root/inputs-check.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/url.h"

/* Prints the inputs that differ from those in the old lock. */
static void print_input_changes(const struct lock *old, const struct lock *new)
{
	for (size_t i = 0; i < new->n; i++) {
		const struct lock_entry *n = &new->v[i], *o = lock_find(old, n->url);
		char size[PROGRESS_SIZE_LEN];

		if (!o)
			out_line("new %s %s %s", n->sha256, progress_size(n->size, size),
				 n->url);
		else if (!streq(o->sha256, n->sha256))
			out_line("changed %s (was %s) %s %s", n->sha256, o->sha256,
				 progress_size(n->size, size), n->url);
	}
	for (size_t i = 0; i < old->n; i++) {
		/* An earlier version recorded secrets. */
		_cleanup_free_ char *url = url_public(old->v[i].url);

		if (!lock_find(new, old->v[i].url))
			out_line("dropped %s", url);
	}
}

static void print_package_changes(const struct lock_base *old,
				  const struct lock_base *new)
{
	if (old->n_packages == 0 && new->n_packages > 0) {
		out_line("new base of %zu packages of %s", new->n_packages, new->suite);
		return;
	}
	for (size_t i = 0; i < new->n_packages; i++) {
		const struct lock_package *n = &new->packages[i];
		const struct lock_package *o = lock_package_find(old, n->name, n->arch);

		if (!o)
			out_line("new package %s %s", n->name, n->version);
		else if (!streq(o->sha256, n->sha256))
			out_line("changed package %s %s (was %s)", n->name, n->version,
				 o->version);
	}
	for (size_t i = 0; i < old->n_packages; i++)
		if (!lock_package_find(new, old->packages[i].name, old->packages[i].arch))
			out_line("dropped package %s %s", old->packages[i].name,
				 old->packages[i].version);
}

/* Returns whether suite and packages are the same. Then the lock keeps its old base: the
 * archive's date alone is no change. */
static bool same_base(const struct lock_base *a, const struct lock_base *b)
{
	if (a->n_packages != b->n_packages || a->n_packages == 0 ||
	    !streq(a->suite, b->suite) || !strv_equal(a->wanted, b->wanted))
		return false;
	for (size_t i = 0; i < a->n_packages; i++) {
		const struct lock_package *p = &a->packages[i];
		const struct lock_package *q = lock_package_find(b, p->name, p->arch);

		if (!q || !streq(p->sha256, q->sha256) || !streq(p->path, q->path))
			return false;
	}
	return true;
}

/* Sets the base of the new lock: to what apt says, or moves that of `old` when it is
 * unchanged or --artifacts was given; *ret_kept says which. Returns 0, or -1. */
static int lock_base_part(struct lock *new, struct lock *old, const struct recipe *r,
			  const struct input_args *a, bool *ret_kept, struct err *e)
{
	*ret_kept = a->artifacts;
	if (!a->artifacts && base_lock(&new->base, r, a->mirrors, e) < 0)
		return -1;
	if (!a->artifacts && !same_base(&old->base, &new->base))
		return 0;
	*ret_kept = true;
	lock_base_done(&new->base);
	new->base = old->base;
	old->base = (struct lock_base){0};
	return 0;
}

static int lock_recipe(const struct input_args *a, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_cache_ struct cache c = {.fd = -1};
	_cleanup_lock_ struct lock old = {0}, new = {0};
	_cleanup_free_ char *file = NULL;
	_cleanup_inputs_ struct inputs in = {0};
	struct inputs_options io = {.mirrors = a->mirrors, .netrc = &a->netrc};
	bool kept;

	if (recipe_load(&r, a->recipe, &d) == 0) {
		file = build_lock_path(&r, a->lock);
		if (lock_read(&old, file, &d) == 0 && a->artifacts)
			base_check_lock(&old.base, &r, &d);
	}
	if (diag_err(&d, e) < 0)
		return -1;
	mirrors_warn_unused(a->mirrors, a->n_given, &r);
	if (cache_open(&c, a->cache, e) < 0 ||
	    inputs_lock(&in, &new, &old, &r, &c, &io, e) < 0 ||
	    inputs_check(&in, &r, &c, e) < 0 ||
	    lock_base_part(&new, &old, &r, a, &kept, e) < 0 ||
	    lock_write(&new, file, e) < 0)
		return -1;
	print_input_changes(&old, &new);
	if (!kept)
		print_package_changes(&old.base, &new.base);
	log_info("%s: %zu input%s, %zu package%s", file, new.n, new.n == 1 ? "" : "s",
		 new.base.n_packages, new.base.n_packages == 1 ? "" : "s");
	return 0;
}

static int run_lock(const struct command_line *line, struct err *e)
{
	_cleanup_input_args_ struct input_args a = {0};

	return input_args_parse(&a, line, true, e) < 0 ? -1 : lock_recipe(&a, e);
}

static const struct command_option options[] = {
	{.name = "artifacts",
	 .id = OPT_ARTIFACTS,
	 .help = "keep the packages of the base as they are in the lock"},
	{.name = "output",
	 .letter = 'o',
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_LOCK,
	 .help = "write this file (default: recipe.lock beside the recipe)"},
	INPUT_OPTION_CACHE,
	INPUT_OPTION_MIRROR,
	INPUT_OPTION_NETRC,
	{.name = NULL},
};

static const struct command_renamed renamed[] = {{"lock", "output"}, {NULL, NULL}};

const struct command command_lock = {
	.name = "lock",
	.synopsis = "RECIPE [--artifacts] [-o FILE] [--cache DIR] "
		    "[--mirror PREFIX=URL]... [--netrc-file FILE]",
	.summary = "write the digests of a recipe's inputs and packages to recipe.lock",
	.options = options,
	.renamed = renamed,
	.operands = {INPUT_OPERAND_RECIPE},
	.min_args = 1,
	.max_args = 1,
	.run = run_lock,
};
