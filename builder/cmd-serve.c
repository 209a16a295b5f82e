/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap serve: the boot server in the foreground, until Ctrl-C or until one of its
 * two servers dies. What machines do meanwhile is told line by line.
 */
#include "builder/command.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "pxe/serve.h"
#include "pxe/watch.h"

#define TICK_MS 500

static void tell(struct watch *w)
{
	char *line;

	while ((line = watch_next(w))) {
		log_info("%s", line);
		free(line);
	}
}

/* A tree that was rendered again is served, but not by its new configurations. */
static void tell_renewed(const struct serve *s, struct stat *st)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_INFO, s->dir);
	struct stat now;

	if (stat(path, &now) < 0 ||
	    (st->st_ino == now.st_ino && st->st_dev == now.st_dev))
		return;
	if (st->st_ino)
		log_warn("%s was rendered anew: start `rackstrap serve` again, so that "
			 "DHCP knows its hosts",
			 s->dir);
	*st = now;
}

static int watch_until_end(struct serve *s, int signals, struct err *e)
{
	_cleanup_watch_ struct watch w = {0};
	struct stat st = {0};
	int r;

	watch_open(&w, s);
	do {
		tell_renewed(s, &st);
		tell(&w);
		r = serve_wait(s, signals, TICK_MS, e);
	} while (r == 0);
	/* Ctrl-C reaches everybody at once; a server may be seen to end first. */
	if (r < 0 &&
	    serve_wait(&(struct serve){.dnsmasq = {.pidfd = -1}, .nginx = {.pidfd = -1}},
		       signals, 100, NULL) == 1)
		r = 1;
	tell(&w);
	return r < 0 ? -1 : 0;
}

static void tell_start(const struct serve *s)
{
	char addr[NET_ADDR_LEN];

	log_info("rack '%s', %zu host%s, image '%s': DHCP, TFTP and HTTP on %s port "
		 "%u%s%s; "
		 "Ctrl-C ends it",
		 s->info.name, s->info.n_hosts, s->info.n_hosts == 1 ? "" : "s",
		 s->info.image, net_format_addr(s->info.boot_server, addr),
		 s->info.http_port, s->user ? ", as user " : "", s->user ? s->user : "");
}

static int run_serve(const struct command *self, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {{"user", required_argument, NULL, 'u'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct serve s = {.dnsmasq = {.pidfd = -1}, .nginx = {.pidfd = -1}};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_close_ int signals = -1;
	struct serve_options o = {0};
	int c, r;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		if (c != 'u')
			return -1;
		o.user = optarg;
	}
	if (argc - optind != 1)
		return err_set(e, ERR_USAGE, "serve: name one boot tree");
	signals = signals_open(e);
	if (signals < 0 || serve_open(&s, argv[optind], &o, e) < 0)
		return -1;
	r = serve_check(&s, &d);
	if (r < 0) {
		r = diag_err(&d, e);
		e->code = ERR_FAILED; /* the machine, not a file */
	} else {
		r = serve_start(&s, e);
	}
	if (r == 0) {
		tell_start(&s);
		r = watch_until_end(&s, signals, e);
	}
	serve_done(&s);
	return r;
}

const struct command command_serve = {
	.name = "serve",
	.args = "TREE [--user NAME]",
	.summary = "serve a boot tree: dnsmasq and nginx in the foreground",
	.help = "  --user NAME       whom both servers become when started by root "
		"(default:\n"
		"                    the tree's owner, or nobody when that is root)\n",
	.run = run_serve,
};
