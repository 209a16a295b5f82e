/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen has the hosts that need attention first, then those that boot, those that
 * were never heard of, and those that are ready: a terminal with fewer lines than hosts
 * shows what is to be known.
 */
#include "builder/status-watch.h"

#include "lib/clock.h"
#include "lib/out.h"
#include "lib/signals.h"
#include "pxe/table.h"
#include "pxe/tracker.h"
#include "pxe/tree-swap.h"

#include <poll.h>
#include <time.h>

#define TICK_MS   500
#define BAR_CELLS 40
#define HEADING   5 /* lines of the screen that are no host */

enum rank {
	RANK_FAULT,
	RANK_BUSY,
	RANK_SILENT,
	RANK_READY,
};
#define RANKS (RANK_READY + 1)

struct view {
	const char *dir; /* of the tree */
	struct tree_info info;
	struct tracker tracker;
	struct stat tree;         /* tree.cfg, when it was read */
	enum tracker_state *said; /* of each host, in a line */
	bool *said_stalled;
	uint64_t drawn_ms;
};

static void view_done(struct view *v)
{
	tracker_done(&v->tracker);
	tree_info_done(&v->info);
	free(v->said);
	free(v->said_stalled);
	v->said = NULL;
	v->said_stalled = NULL;
}

static struct stat tree_stat(const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_INFO, dir);
	struct stat st;

	return stat(path, &st) < 0 ? (struct stat){0} : st;
}

static int view_open(struct view *v, const char *dir, struct err *e)
{
	*v = (struct view){.dir = dir, .tree = tree_stat(dir)};
	if (tree_info_read(&v->info, dir, e) < 0)
		return -1;
	tracker_open(&v->tracker, dir, &v->info, clock_now_ms(CLOCK_REALTIME));
	v->said = xcalloc(v->info.n_hosts + 1, sizeof(*v->said));
	v->said_stalled = xcalloc(v->info.n_hosts + 1, sizeof(*v->said_stalled));
	return 0;
}

/* Reads the tree again when it was rendered again. */
static int view_follow(struct view *v, struct err *e)
{
	struct stat now = tree_stat(v->dir);
	const char *dir = v->dir;

	/* There is none for a moment while trees are exchanged. */
	if (now.st_ino == 0 ||
	    (now.st_ino == v->tree.st_ino && now.st_dev == v->tree.st_dev))
		return 0;
	view_done(v);
	return view_open(v, dir, e);
}

/* --- the screen ------------------------------------------------------------------- */

static enum rank rank_of(const struct tracker *t, size_t host, uint64_t now_ms)
{
	if (tracker_is_stalled(t, host, now_ms))
		return RANK_FAULT;
	switch (tracker_state(t, host)) {
	case TRACKER_FAILED:
	case TRACKER_BROKEN:
		return RANK_FAULT;
	case TRACKER_SILENT:
		return RANK_SILENT;
	case TRACKER_READY:
		return RANK_READY;
	default:
		return RANK_BUSY;
	}
}

/* Appends "[######====!!......]": ready, booting, with a fault, silent. */
static void append_bar(struct buf *b, const size_t n[static RANKS], size_t all)
{
	static const char signs[RANKS] = {[RANK_FAULT] = '!',
					  [RANK_BUSY] = '=',
					  [RANK_SILENT] = '.',
					  [RANK_READY] = '#'};
	static const enum rank order[RANKS] = {RANK_READY, RANK_BUSY, RANK_FAULT,
					       RANK_SILENT};
	size_t sum = 0, cell = 0;

	buf_puts(b, "[");
	for (size_t i = 0; i < RANKS; i++) {
		sum += n[order[i]];
		for (; all && cell < sum * BAR_CELLS / all; cell++)
			buf_add(b, &signs[order[i]], 1);
	}
	buf_puts(b, "]");
}

static void append_heading(struct buf *b, const struct tracker *t,
			   const size_t ranks[static RANKS], uint64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	size_t n[TRACKER_STATES];
	const char *comma = "";
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	buf_printf(b, "rack '%s', image '%s', %s\n", t->status.rack, t->info->image,
		   clock);
	append_bar(b, ranks, t->status.n);
	buf_printf(b, " %zu of %zu ready\n", ranks[RANK_READY], t->status.n);
	tracker_count(t, n);
	for (size_t i = TRACKER_STATES; i-- > 0;) {
		if (n[i] == 0)
			continue;
		buf_printf(b, "%s%zu %s", comma, n[i],
			   tracker_state_name((enum tracker_state)i));
		comma = ", ";
	}
	buf_puts(b, "\n\n");
}

static void add_row(struct table *table, const struct tracker *t, size_t host,
		    uint64_t now_ms)
{
	const struct status_host *h = &t->status.hosts[host];
	_cleanup_free_ char *text = tracker_text(t, host, now_ms);
	uint64_t heard = tracker_heard_ms(t, host);
	_cleanup_free_ char *age = heard ? tracker_age(heard, now_ms) : NULL;

	table_add(table, h->name);
	table_add(table, h->role);
	table_add(table, h->address);
	table_add(table, age);
	table_add(table, text);
}

static void draw(struct view *v, unsigned lines, unsigned columns, uint64_t now_ms)
{
	static const struct table_column titles[] = {{"HOST", false},
						     {"ROLE", false},
						     {"ADDRESS", false},
						     {"HEARD", true},
						     {"STATE", false}};
	const struct tracker *t = &v->tracker;
	size_t n[RANKS] = {0}, rows = lines > HEADING + 2 ? lines - HEADING - 2 : 1;
	size_t shown = 0;
	_cleanup_table_ struct table table = {0};
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < t->status.n; i++)
		n[rank_of(t, i, now_ms)]++;
	append_heading(&b, t, n, now_ms);
	table_init(&table, titles, ARRAY_SIZE(titles));
	for (size_t r = 0; r < RANKS; r++)
		for (size_t i = 0; i < t->status.n && shown < rows; i++)
			if (rank_of(t, i, now_ms) == (enum rank)r) {
				add_row(&table, t, i, now_ms);
				shown++;
			}
	table_render(&table, &b);
	if (shown < t->status.n)
		buf_printf(&b, "and %zu more\n", t->status.n - shown);
	out_screen(b.p, lines, columns);
	v->drawn_ms = now_ms;
}

/* --- lines ------------------------------------------------------------------------ */

static void say_changes(struct view *v, uint64_t now_ms)
{
	const struct tracker *t = &v->tracker;
	size_t n[TRACKER_STATES];

	tracker_count(t, n);
	for (size_t i = 0; i < t->status.n; i++) {
		enum tracker_state state = tracker_state(t, i);
		bool stalled = tracker_is_stalled(t, i, now_ms);
		_cleanup_free_ char *text = NULL;

		if (v->said[i] == state && v->said_stalled[i] == stalled)
			continue;
		v->said[i] = state;
		v->said_stalled[i] = stalled;
		text = tracker_text(t, i, now_ms);
		if (state == TRACKER_READY)
			out_line("%s: ready (%zu of %zu)", t->status.hosts[i].name,
				 n[TRACKER_READY], t->status.n);
		else
			out_line("%s: %s", t->status.hosts[i].name, text);
	}
}

/* --- the loop --------------------------------------------------------------------- */

static int show(struct view *v, struct err *e)
{
	uint64_t now = clock_now_ms(CLOCK_REALTIME);
	unsigned lines, columns;

	if (out_terminal(&lines, &columns))
		draw(v, lines, columns, now);
	else
		say_changes(v, now);
	return out_flush(e);
}

static int verdict(const struct tracker *t, struct err *e)
{
	size_t n[TRACKER_STATES], not_ready;

	tracker_count(t, n);
	not_ready = t->status.n - n[TRACKER_READY];
	if (not_ready == 0)
		return 0;
	return err_set(e, ERR_FAILED, "%zu of %zu hosts %s not ready", not_ready,
		       t->status.n, not_ready == 1 ? "is" : "are");
}

static int watch(struct view *v, int signals, struct err *e)
{
	struct pollfd p = {.fd = signals, .events = POLLIN};
	bool more;

	do {
		if (view_follow(v, e) < 0)
			return -1;
		more = tracker_turn(&v->tracker, clock_now_ms(CLOCK_REALTIME));
		if (show(v, e) < 0)
			return -1;
	} while (poll(&p, 1, more ? 0 : TICK_MS) <= 0);
	return verdict(&v->tracker, e);
}

int status_watch(const char *dir, struct err *e)
{
	_cleanup_free_ char *inside = xasprintf("%s/tree", dir);
	_cleanup_close_ int signals = -1;
	struct view v;
	int r;

	if (tree_is(inside) && !tree_is(dir)) /* the folder of a rack */
		dir = inside;
	r = view_open(&v, dir, e);
	if (r == 0)
		signals = signals_open(e);
	r = r < 0 || signals < 0 ? -1 : watch(&v, signals, e);
	view_done(&v);
	return r;
}
