/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap discover: prints the machines that asked a boot server and are no hosts of
 * its tree, as entries for the rack file. */
#include "builder/commands.h"
#include "lib/log.h"
#include "lib/out.h"
#include "pxe/discover-show.h"

#include <poll.h>
#include <time.h>

#define TICK_MS 500
/* A machine that asked for an address may say soon what it is: it is shown then, or after
 * this time. */
#define PATIENCE_S 60

enum {
	OPT_CSV = 1,
	OPT_JSON,
	OPT_MAP,
	OPT_WATCH,
};

/* Prints a machine in the form that was asked for. */
static void show(const struct command_line *line, struct proposals *all,
		 struct machine *m)
{
	_cleanup_buf_ struct buf b = {0};
	struct proposal p;

	proposals_next(all, m, &p);
	if (command_has(line, OPT_CSV))
		discover_append_row(&b, all, m, &p);
	else
		discover_append_entry(&b, m, &p);
	proposal_done(&p);
	out_text(b.p);
	m->shown = true;
}

static void show_titles(const struct command_line *line, const struct proposals *all)
{
	_cleanup_buf_ struct buf b = {0};

	if (!command_has(line, OPT_CSV))
		return;
	discover_append_titles(&b, all);
	out_text(b.p);
}

static void show_json(const struct discover *d, struct proposals *all)
{
	_cleanup_json_ struct json j = {0};
	_cleanup_free_ struct machine **v = NULL;
	_cleanup_free_ char *text = NULL;
	size_t n;

	v = discover_list(d, &n);
	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "rack", d->info.name);
	json_open(&j, "machines", '[');
	for (size_t i = 0; i < n; i++) {
		struct proposal p;

		proposals_next(all, v[i], &p);
		discover_add_json(&j, v[i], &p);
		proposal_done(&p);
	}
	json_close(&j, ']');
	json_close(&j, '}');
	text = json_take(&j);
	out_text(text);
}

/* Prints the machines that were not printed yet. `all_now`: also those that asked only
 * for an address, just now. Returns their number. */
static size_t show_new(const struct command_line *line, const struct discover *d,
		       struct proposals *all, bool all_now)
{
	_cleanup_free_ struct machine **v = NULL;
	const time_t now = time(NULL);
	size_t n, shown = 0;

	v = discover_list(d, &n);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->shown || (!all_now && !v[i]->said &&
				    v[i]->first_ms / 1000 + PATIENCE_S > (uint64_t)now))
			continue;
		show(line, all, v[i]);
		shown++;
	}
	return shown;
}

/* Prints further machines until a signal ends the command. */
static int watch(const struct command_line *line, struct discover *d,
		 struct proposals *all, struct err *e)
{
	for (;;) {
		const ino_t tree = d->tree.st_ino;
		const bool more = discover_turn(d, time(NULL));

		if (d->tree.st_ino != tree)
			proposals_learn(all, &d->info);
		show_new(line, d, all, false);
		if (out_flush(e) < 0)
			return -1;
		if (!more)
			poll(NULL, 0, TICK_MS);
	}
}

static int run_discover(const struct command_line *line, struct err *e)
{
	const char *map_file = command_arg(line, OPT_MAP, NULL);
	_cleanup_discover_ struct discover d = {0};
	_cleanup_proposals_ struct proposals all = {0};
	_cleanup_port_map_ struct port_map map = {0};
	_cleanup_diag_ struct diag wrong = {0};

	if (command_has(line, OPT_JSON) &&
	    (command_has(line, OPT_CSV) || command_has(line, OPT_WATCH)))
		return err_set(e, ERR_USAGE,
			       "discover: options '--json' and '%s' exclude each other",
			       command_has(line, OPT_CSV) ? "--csv" : "--watch");
	if (map_file && port_map_read(&map, map_file, &wrong) < 0)
		return diag_err(&wrong, e);
	if (discover_open(&d, line->args[0], time(NULL), e) < 0)
		return -1;
	all.map = map_file ? &map : NULL;
	proposals_learn(&all, &d.info);
	if (command_has(line, OPT_JSON)) {
		show_json(&d, &all);
		return 0;
	}
	show_titles(line, &all);
	if (show_new(line, &d, &all, true) == 0 && !command_has(line, OPT_WATCH))
		log_info("%s: no unknown machine has asked", d.dir);
	return command_has(line, OPT_WATCH) ? watch(line, &d, &all, e) : 0;
}

static const struct command_option options[] = {
	{.name = "csv", .id = OPT_CSV, .help = "print a table of comma-separated values"},
	{.name = "json", .id = OPT_JSON, .help = "print JSON"},
	{.name = "map",
	 .arg = "FILE",
	 .id = OPT_MAP,
	 .kind = ARG_FILE,
	 .help = "names for machines by where they are plugged in: a table with the "
		 "columns switch, port and name"},
	{.name = "watch",
	 .id = OPT_WATCH,
	 .help = "go on and print further machines when they ask"},
	{.name = NULL},
};

const struct command command_discover = {
	.name = "discover",
	.synopsis = "TREE [--map FILE] [--csv] [--watch]\nTREE [--map FILE] --json",
	.summary = "print unknown machines as entries for the rack file",
	.options = options,
	.operands = {{.name = "TREE",
		      .kind = ARG_DIR,
		      .help = "a boot tree that is or was served"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_discover,
};
