/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap serve: runs the boot server in the foreground, until Ctrl-C or until one of
 * its servers ends. Prints a line for each step of a machine's boot. It reads a tree that
 * was rendered again, and after SIGHUP, unless that means that its terminal is gone.
 * Meanwhile it writes the status page and the metrics (pxe/status-files.h).
 */
#include "builder/commands.h"
#include "builder/rack/rack-ns.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "pxe/serve.h"
#include "pxe/status-files.h"
#include "pxe/watch.h"

#define TICK_MS 500

/* Returns true if the turn before left events. */
static bool log_events(struct watch *w)
{
	bool more = watch_turn(w);
	char *line;

	while ((line = watch_next(w))) {
		log_info("%s", line);
		free(line);
	}
	return more;
}

/* Remembers the tree that is served in *st. */
static void note_tree(const struct serve *s, struct stat *st)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_INFO, s->dir);

	if (stat(path, st) < 0)
		*st = (struct stat){0};
}

/* Returns true when another tree has the name since *st was noted, and notes it. */
static bool was_rendered_again(const struct serve *s, struct stat *st)
{
	struct stat was = *st;

	note_tree(s, st);
	if (st->st_ino == 0)
		*st = was; /* it is being exchanged */
	return was.st_ino != st->st_ino || was.st_dev != st->st_dev;
}

/* Returns whether this process has a controlling terminal, which it loses when that hangs
 * up. */
static bool has_terminal(void)
{
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return fd >= 0;
}

/* Reads the signals that came. Returns true if all of them ask to read the tree again. */
static bool only_reload(int signals, bool had_terminal)
{
	bool reload = true;
	int sig;

	while ((sig = signals_read(signals)) != 0)
		reload &= sig == SIGHUP;
	if (reload && (!had_terminal || has_terminal()))
		return true;
	signals_await_second();
	return false;
}

static void reload(struct serve *s, const struct serve_options *o)
{
	struct err e = {0};

	if (serve_reload(s, o, &e) < 0) {
		log_lines(LOG_LEVEL_ERROR, e.msg);
		log_error("%s: not reloaded", s->dir);
	} else {
		log_info("%s: reloaded: rack '%s', %zu host%s, image '%s'", s->dir,
			 s->info.name, s->info.n_hosts, s->info.n_hosts == 1 ? "" : "s",
			 s->info.image);
	}
}

static int watch_until_end(struct serve *s, const struct serve_options *o,
			   struct watch *w, int signals, bool had_terminal, struct err *e)
{
	_cleanup_status_files_ struct status_files files;
	struct stat st;
	bool again;
	int r;

	note_tree(s, &st);
	status_files_open(&files, s->dir, &s->info, clock_now_ms(CLOCK_REALTIME));
	do {
		bool more = status_files_turn(&files, clock_now_ms(CLOCK_REALTIME));

		again = was_rendered_again(s, &st);
		r = again ? 0
			  : serve_wait(s, signals, log_events(w) || more ? 0 : TICK_MS,
				       e);
		if (r == 1 && only_reload(signals, had_terminal)) {
			note_tree(s, &st);
			again = true;
			r = 0;
		}
		if (again) {
			log_events(w);
			reload(s, o);
			watch_rack_changed(w);
			status_files_done(&files);
			status_files_open(&files, s->dir, &s->info,
					  clock_now_ms(CLOCK_REALTIME));
		}
	} while (r == 0);
	/* A terminal sends Ctrl-C to all processes at once, so that a server may end
	 * before the signal is read here. */
	if (r < 0 && serve_wait(&(struct serve)SERVE_INIT, signals, 100, NULL) == 1)
		r = 1;
	log_events(w);
	return r < 0 ? -1 : 0;
}

static void log_start(const struct serve *s)
{
	char addr[NET_ADDR_LEN];

	log_info("rack '%s', %zu host%s, image '%s': DHCP, TFTP and HTTP on %s port "
		 "%u%s%s; Ctrl-C ends it",
		 s->info.name, s->info.n_hosts, s->info.n_hosts == 1 ? "" : "s",
		 s->info.image, net_format_addr(s->info.boot_server, addr),
		 s->info.http_port, s->user ? ", as user " : "", s->user ? s->user : "");
}

/* Refuses the tree of a rack that ran in virtual machines: its hosts have the key of that
 * run, and its servers the interface of its network. */
static int check_purpose(const struct serve *s, struct err *e)
{
	if (!s->info.interface || !streq(s->info.interface, NS_BRIDGE))
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s: is the tree of `rackstrap rack`, for its virtual machines: "
		       "make one with `rackstrap pxe`",
		       s->dir);
}

enum {
	OPT_USER = 1,
};

static int run_serve(const struct command_line *line, struct err *e)
{
	struct serve s = SERVE_INIT;
	struct serve_options o = {.user = command_arg(line, OPT_USER, NULL)};
	_cleanup_watch_ struct watch w = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_close_ int signals = -1;
	bool had_terminal;
	int r;

	signals = signals_open(e);
	had_terminal = has_terminal();
	if (signals < 0 || serve_open(&s, line->args[0], &o, e) < 0)
		return -1;
	r = check_purpose(&s, e);
	if (r == 0 && serve_check(&s, &d) < 0) {
		r = diag_err(&d, e);
		e->code = ERR_UNABLE; /* the machine is at fault, not a file */
	}
	if (r == 0) {
		watch_open(&w, &s);
		r = serve_start(&s, e);
	}
	if (r == 0) {
		log_start(&s);
		r = watch_until_end(&s, &o, &w, signals, had_terminal, e);
	}
	serve_done(&s);
	return r;
}

static const struct command_option options[] = {
	{.name = "user",
	 .arg = "NAME",
	 .id = OPT_USER,
	 .help = "the user that both servers become when root starts them (default: the "
		 "tree's owner, or nobody when that is root)"},
	{.name = NULL},
};

const struct command command_serve = {
	.name = "serve",
	.synopsis = "TREE [--user NAME]",
	.summary = "serve a boot tree: dnsmasq and nginx in the foreground",
	.options = options,
	.operands = {{.name = "TREE",
		      .kind = ARG_DIR,
		      .help = "a boot tree that `rackstrap pxe` made"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_serve,
};
