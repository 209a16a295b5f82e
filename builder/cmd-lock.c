/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap lock: fetches a recipe's inputs and notes what came. */
#include "build.h"
#include "command.h"
#include "inputs.h"
#include "lib/log.h"
#include "mirror.h"
#include "progress.h"

static const struct option options[] = {
	{"cache", required_argument, NULL, 'c'},
	{"lock", required_argument, NULL, 'l'},
	{"mirror", required_argument, NULL, 'm'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* What changed since the file was last written. */
static void tell(const struct lock *old, const struct lock *new)
{
	for (size_t i = 0; i < new->n; i++) {
		const struct lock_entry *n = &new->v[i], *o = lock_find(old, n->url);
		char size[PROGRESS_SIZE_LEN];

		if (!o)
			printf("new %s %s %s\n", n->sha256, progress_size(n->size, size),
			       n->url);
		else if (!streq(o->sha256, n->sha256))
			printf("changed %s (was %s) %s %s\n", n->sha256, o->sha256,
			       progress_size(n->size, size), n->url);
	}
	for (size_t i = 0; i < old->n; i++)
		if (!lock_find(new, old->v[i].url))
			printf("dropped %s\n", old->v[i].url);
}

static int lock_recipe(const char *path, const char *cache_dir, const char *asked,
		       char *const *mirrors, struct err *e)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_cache_ struct cache c = {.fd = -1};
	_cleanup_lock_ struct lock old = {0}, new = {0};
	_cleanup_free_ char *file = NULL;
	struct inputs_options o = {.mirrors = mirrors};

	if (recipe_load(&r, path, &d) == 0) {
		file = build_lock_path(&r, asked);
		(void)!lock_read(&old, file, &d);
	}
	if (diag_err(&d, e) < 0 || cache_open(&c, cache_dir, e) < 0 ||
	    inputs_lock(&new, &r, &c, &o, e) < 0 || lock_write(&new, file, e) < 0)
		return -1;
	tell(&old, &new);
	log_info("%s: %zu input%s", file, new.n, new.n == 1 ? "" : "s");
	return 0;
}

static int run_lock(const struct command *self, int argc, char **argv, struct err *e)
{
	_cleanup_strv_ char **mirrors = NULL;
	const char *cache = NULL, *lock = NULL;
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'c':
			cache = optarg;
			break;
		case 'l':
			lock = optarg;
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
			"lock: name one recipe: a folder with recipe.cfg, or a file");
	if (mirrors_add_environment(&mirrors, e) < 0)
		return -1;
	return lock_recipe(argv[optind], cache, lock, mirrors, e);
}

const struct command command_lock = {
	.name = "lock",
	.args = "RECIPE [OPTION...]",
	.summary = "note the size and digest of every input of a recipe",
	.help = "  --lock FILE            write it here (recipe.lock beside the recipe)\n"
		"  --cache DIR            keep what was fetched here, as build does\n"
		"  --mirror PREFIX=URL    fetch what begins with PREFIX from URL; may be "
		"repeated\n",
	.run = run_lock,
};
