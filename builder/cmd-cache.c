/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap cache: what is in the cache, less of it, and a mirror made of it. */
#include "builder/command.h"
#include "builder/common/progress.h"
#include "builder/input/cache-scan.h"
#include "lib/json.h"
#include "lib/log.h"

#include <sys/stat.h>
#include <time.h>

#define UNUSED_DAYS 30
#define DAY_S       (24 * 60 * 60)

static const struct option options[] = {
	{"cache", required_argument, NULL, 'c'}, {"dry-run", no_argument, NULL, 'n'},
	{"json", no_argument, NULL, 'j'},        {"unused", required_argument, NULL, 'u'},
	{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
};

struct cache_job {
	struct cache c;
	struct cached_list l;
	bool dry, json;
	uint64_t days;
	const char *dir; /* to export to */
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
	printf("%-9s %12s  %s  %-12.12s %s\n", kinds[x->kind],
	       progress_size(x->bytes, size), day, x->name, x->urls ? x->urls[0] : "");
	for (size_t i = 1; x->urls && x->urls[i]; i++)
		printf("%50s%s\n", "", x->urls[i]);
}

/* --- list -------------------------------------------------------------------------- */

static void put_entry(struct json *j, const struct cached *x)
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
	json_strv(j, x->kind == CACHED_BASE ? "made_of" : "urls", x->urls);
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
			put_entry(&j, &job->l.v[i]);
		json_close(&j, ']');
		json_close(&j, '}');
		text = json_take(&j);
		fputs(text, stdout);
		return 0;
	}
	for (size_t i = 0; i < job->l.n; i++)
		print_line(&job->l.v[i]);
	printf("%s: %zu, %s\n", job->c.dir, job->l.n, progress_size(bytes, size));
	return 0;
}

/* --- prune ------------------------------------------------------------------------- */

static int run_prune(struct cache_job *job, struct err *e)
{
	time_t before = time(NULL) - (time_t)(job->days * DAY_S) + (job->days == 0);
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
	printf("%s: %zu %s, %s\n", job->c.dir, n, job->dry ? "would go" : "removed",
	       progress_size(bytes, size));
	return r;
}

/* --- export ------------------------------------------------------------------------ */

static int run_export(struct cache_job *job, struct err *e)
{
	struct cache_exported x = {0};
	char size[PROGRESS_SIZE_LEN];

	if (cache_export(&x, &job->c, &job->l, job->dir, e) < 0)
		return -1;
	printf("%s: %zu files, %s, %zu of them new\n", job->dir, x.files,
	       progress_size(x.bytes, size), x.copied);
	return 0;
}

/* --- the command ------------------------------------------------------------------- */

static const struct {
	const char *name;
	int args;
	const char *takes; /* of dry-run, json, unused: the first letters */
	bool alone;        /* nobody else may use the cache meanwhile */
	int (*run)(struct cache_job *job, struct err *e);
} verbs[] = {
	{"list", 0, "j", false, run_list},
	{"prune", 0, "nu", true, run_prune},
	{"export", 1, "", false, run_export},
};

static int run_verb(struct cache_job *job, const char *cache, int argc, char **argv,
		    const char *given, struct err *e)
{
	size_t v = 0;

	while (v < ARRAY_SIZE(verbs) && (argc < 1 || !streq(verbs[v].name, argv[0])))
		v++;
	if (v == ARRAY_SIZE(verbs))
		return err_set(e, ERR_USAGE, "cache: say list, prune or export DIR");
	if (argc - 1 != verbs[v].args)
		return err_set(e, ERR_USAGE, "cache %s: %s", verbs[v].name,
			       verbs[v].args
				       ? "name the folder to export to, and only that"
				       : "takes no argument");
	for (; *given; given++)
		if (!strchr(verbs[v].takes, *given))
			return err_set(e, ERR_USAGE, "cache %s: has no --%s",
				       verbs[v].name,
				       *given == 'j'   ? "json"
				       : *given == 'n' ? "dry-run"
						       : "unused");
	job->dir = argv[1];
	if (cache_open(&job->c, cache, e) < 0)
		return -1;
	if (verbs[v].alone && !job->dry && cache_lock_all(&job->c, e) < 0)
		return -1;
	if (cache_scan(&job->l, &job->c, e) < 0)
		return -1;
	return verbs[v].run(job, e);
}

static int run_cache(const struct command *self, int argc, char **argv, struct err *e)
{
	struct cache_job job = {.c = {.fd = -1}, .days = UNUSED_DAYS};
	const char *cache = NULL;
	char given[4] = "";
	int c, r;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		if (c == -2)
			return -1;
		if (c == 'c') {
			cache = optarg;
			continue;
		}
		if (c == 'u' && str_to_u64(optarg, 36500, &job.days) < 0)
			return err_set(
				e, ERR_USAGE,
				"cache: --unused: must be a number of days, not '%s'",
				optarg);
		job.dry |= c == 'n';
		job.json |= c == 'j';
		if (!strchr(given, c))
			given[strlen(given)] = (char)c;
	}
	umask(022);
	r = run_verb(&job, cache, argc - optind, argv + optind, given, e);
	cached_list_done(&job.l);
	cache_done(&job.c);
	return r;
}

const struct command command_cache = {
	.name = "cache",
	.args = "list|prune|export DIR [OPTION...]",
	.summary = "look into the cache, shrink it, make a mirror of it",
	.help = "  list                   what is in it\n"
		"    --json               as JSON\n"
		"  prune                  remove what was not used for a while\n"
		"    --unused DAYS        for so long (30)\n"
		"    --dry-run            only say what would go\n"
		"  export DIR             copy the inputs to DIR, which --mirror takes, "
		"also\n"
		"                         by http from any web server\n"
		"  --cache DIR            this cache ($RACKSTRAP_CACHE,\n"
		"                         $XDG_CACHE_HOME/rackstrap, "
		"~/.cache/rackstrap)\n",
	.run = run_cache,
};
