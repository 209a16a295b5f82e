/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap cache: lists, prunes and exports the cache. */
#include "builder/commands.h"
#include "builder/common/progress.h"
#include "builder/input/cache-scan.h"
#include "lib/json.h"
#include "lib/out.h"

#include <time.h>

#define UNUSED_DAYS     30
#define UNUSED_DAYS_MAX 36500
#define DAY_S           86400ULL

enum {
	OPT_CACHE = 1,
	OPT_JSON,
	OPT_UNUSED,
	OPT_DRY_RUN,
};

struct cache_job {
	struct cache c;
	struct cached_list l;
	bool dry, json;
	uint64_t unused_s;
	const char *dir; /* the folder to export to */
};

static const char *const kinds[] = {
	[CACHED_INPUT] = "input",       [CACHED_BASE] = "base",
	[CACHED_ROOT] = "root",         [CACHED_PARTIAL] = "partial",
	[CACHED_RUBBISH] = "left over",
};

static void print_line(const struct cached *x)
{
	char size[PROGRESS_SIZE_LEN], day[16];
	struct tm tm;

	localtime_r(&x->used, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	out_line("%-9s %12s  %s  %-12.12s %s", kinds[x->kind],
		 progress_size(x->bytes, size), day, x->name,
		 x->urls.n > 0 ? x->urls.v[0] : "");
	for (size_t i = 1; i < x->urls.n; i++)
		out_line("%50s%s", "", x->urls.v[i]);
}

/* --- list -------------------------------------------------------------------------- */

static void append_entry(struct json *j, const struct cached *x)
{
	json_open(j, NULL, '{');
	json_str(j, "kind", kinds[x->kind]);
	json_str(j, "path", x->path);
	if (x->kind == CACHED_INPUT)
		json_str(j, "sha256", x->name);
	if (x->kind == CACHED_BASE)
		json_str(j, "key", x->name);
	if (x->kind == CACHED_ROOT)
		json_str(j, "recipe", x->name);
	json_u64(j, "bytes", x->bytes);
	json_u64(j, "used", (uint64_t)x->used);
	json_strv(j, x->kind == CACHED_BASE ? "made_of" : "urls", x->urls.v);
	json_close(j, '}');
}

static int run_list(struct cache_job *job, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char size[PROGRESS_SIZE_LEN];
	struct json j = {0};
	uint64_t bytes = 0;

	(void)e;
	for (size_t i = 0; i < job->l.n; i++)
		bytes += job->l.v[i].bytes;
	if (job->json) {
		json_open(&j, NULL, '{');
		json_u64(&j, "format", 1);
		json_str(&j, "dir", job->c.dir);
		json_u64(&j, "bytes", bytes);
		json_open(&j, "entries", '[');
		for (size_t i = 0; i < job->l.n; i++)
			append_entry(&j, &job->l.v[i]);
		json_close(&j, ']');
		json_close(&j, '}');
		text = json_take(&j);
		out_text(text);
		return 0;
	}
	for (size_t i = 0; i < job->l.n; i++)
		print_line(&job->l.v[i]);
	out_line("%s: %zu, %s", job->c.dir, job->l.n, progress_size(bytes, size));
	return 0;
}

/* --- prune ------------------------------------------------------------------------- */

static int run_prune(struct cache_job *job, struct err *e)
{
	time_t before = time(NULL) - (time_t)job->unused_s + (job->unused_s == 0);
	char size[PROGRESS_SIZE_LEN];
	uint64_t bytes = 0;
	size_t n = 0;
	int r = cache_prune(&job->c, &job->l, before, job->dry, e);

	for (size_t i = 0; i < job->l.n; i++)
		if (!job->l.v[i].path) {
			print_line(&job->l.v[i]);
			bytes += job->l.v[i].bytes;
			n++;
		}
	out_line("%s: %zu %s, %s", job->c.dir, n,
		 job->dry ? "would be removed" : "removed", progress_size(bytes, size));
	return r;
}

/* --- export ------------------------------------------------------------------------ */

static int run_export(struct cache_job *job, struct err *e)
{
	struct cache_exported x = {0};
	char size[PROGRESS_SIZE_LEN];

	if (cache_export(&x, &job->c, &job->l, job->dir, e) < 0)
		return -1;
	out_line("%s: %zu files, %s, %zu of them new", job->dir, x.files,
		 progress_size(x.bytes, size), x.copied);
	return 0;
}

/* --- the command ------------------------------------------------------------------- */

static const struct action {
	const char *name;
	size_t n_args;
	int options[2]; /* besides --cache */
	bool exclusive; /* no other process may use the cache meanwhile */
	int (*run)(struct cache_job *job, struct err *e);
} actions[] = {
	{"list", 0, {OPT_JSON}, false, run_list},
	{"prune", 0, {OPT_UNUSED, OPT_DRY_RUN}, true, run_prune},
	{"export", 1, {0}, false, run_export},
};

static const char *action_name(size_t i)
{
	return i < ARRAY_SIZE(actions) ? actions[i].name : NULL;
}

static int check_action(const struct action *a, const struct command_line *line,
			struct err *e)
{
	if (line->n_args - 1 < a->n_args)
		return err_set(e, ERR_USAGE,
			       "cache %s: missing argument DIR: the folder to export to",
			       a->name);
	if (line->n_args - 1 > a->n_args)
		return err_set(e, ERR_USAGE, "cache %s: unexpected argument '%s'",
			       a->name, line->args[a->n_args + 1]);
	for (size_t i = 0; i < line->n_given; i++) {
		const struct command_option *o = line->given[i].option;

		if (o->id != OPT_CACHE && o->id != a->options[0] &&
		    o->id != a->options[1])
			return err_set(e, ERR_USAGE, "cache %s: unexpected option '--%s'",
				       a->name, o->name);
	}
	return 0;
}

static int run_action(struct cache_job *job, const struct action *a, const char *cache,
		      struct err *e)
{
	if (cache_open(&job->c, cache, e) < 0)
		return -1;
	if (a->exclusive && !job->dry && cache_lock_all(&job->c, e) < 0)
		return -1;
	if (cache_scan(&job->l, &job->c, e) < 0)
		return -1;
	return a->run(job, e);
}

static int run_cache(const struct command_line *line, struct err *e)
{
	struct cache_job job = {
		.c = {.fd = -1},
		.unused_s = UNUSED_DAYS * DAY_S,
		.dry = command_has(line, OPT_DRY_RUN),
		.json = command_has(line, OPT_JSON),
		.dir = line->args[1],
	};
	const struct action *a = actions;
	int r;

	if (command_duration(line, OPT_UNUSED, 0, UNUSED_DAYS_MAX * DAY_S, DAY_S,
			     &job.unused_s, e) < 0)
		return -1;
	while (!streq(a->name, line->args[0]))
		a++;
	if (check_action(a, line, e) < 0)
		return -1;
	r = run_action(&job, a, command_arg(line, OPT_CACHE, NULL), e);
	cached_list_done(&job.l);
	cache_done(&job.c);
	return r;
}

static const struct command_option options[] = {
	{.name = "json", .id = OPT_JSON, .help = "list: print JSON"},
	{.name = "unused",
	 .arg = "TIME",
	 .id = OPT_UNUSED,
	 .help = "prune: remove what was not used for this time, like 36h, 30d or 30 "
		 "(default: 30d)"},
	{.name = "dry-run",
	 .id = OPT_DRY_RUN,
	 .help = "prune: print what would be removed, and remove nothing"},
	{.name = "cache",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_CACHE,
	 .help = "the cache (default: $RACKSTRAP_CACHE, $XDG_CACHE_HOME/rackstrap, "
		 "~/.cache/rackstrap)"},
	{.name = NULL},
};

const struct command command_cache = {
	.name = "cache",
	.synopsis = "list [--json] [--cache DIR]\n"
		    "prune [--unused TIME] [--dry-run] [--cache DIR]\n"
		    "export DIR [--cache DIR]",
	.summary = "list, prune or export the cache of inputs and bases",
	.options = options,
	.operands = {{.name = "ACTION", .choice = action_name},
		     {.name = "DIR",
		      .kind = ARG_DIR,
		      .help = "export: copy the inputs to this folder, for --mirror; any "
			      "web server can serve it"}},
	.min_args = 1,
	.max_args = 2,
	.run = run_cache,
};
