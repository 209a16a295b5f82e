/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot server: dnsmasq and nginx serve a rendered tree, as children in the foreground
 * that are watched. `rackstrap serve` runs it on the boot server, `rackstrap rack` in a
 * network namespace.
 *
 * Started by root, both change to a user that may only read the tree and write reports.
 * In a user namespace that maps a single id there is no other user (and setgroups(2) is
 * denied): both then keep their user, and nginx runs without a master process. Their
 * messages go to TREE/run/dnsmasq.log and TREE/run/nginx.log, requests to
 * TREE/run/access.log (access.h). serve_wait() keeps these small.
 *
 * The kernel ends both when this process is killed (PR_SET_PDEATHSIG). A program that
 * changes its user loses that, so dnsmasq is started as the other user, with the
 * capabilities that it needs; nginx's master process remains root and ends its workers.
 */
#pragma once

#include "lib/run.h"
#include "pxe/tree.h"

struct serve_options {
	const char *user; /* that the servers run as; NULL: the tree's owner, or "nobody"
			   * if that is root */
};

struct serve {
	char *dir; /* of the tree, absolute */
	struct tree_info info;
	char *user, *group; /* NULL: the servers keep this process's */
	uid_t uid;
	gid_t gid;
	uint64_t log_max;    /* bytes after which a log is renamed or truncated */
	bool access_renamed; /* nginx is to make the access log anew */
	bool log_fault;      /* the logs could not be kept small, and that was logged */
	uint64_t prune_ms;   /* time on CLOCK_MONOTONIC of the next look at kept images */
	const char *lost;    /* the server that a reload could not start again, or NULL */
	bool single_id_ns;   /* in a user namespace with one id: no user to change to */
	struct serve_child {
		struct child child;
		int pidfd; /* readable when it has ended; -1: not running */
		char *log; /* path of its log; that of the previous run is LOG.old */
		/* Configuration and file of hosts that a DHCP server has read. */
		char *texts[2];
	} dnsmasq, kea, nginx; /* kea: for a tree of Kea */
};

#define SERVE_CHILD_INIT                                                                 \
	{                                                                                \
		.child = {.errfd = -1}, .pidfd = -1                                      \
	}
#define SERVE_INIT                                                                       \
	{                                                                                \
		.dnsmasq = SERVE_CHILD_INIT, .kea = SERVE_CHILD_INIT,                    \
		.nginx = SERVE_CHILD_INIT                                                \
	}

/* Reads the tree and chooses the servers' user. Initialises `ret` first. */
int serve_open(struct serve *ret, const char *dir, const struct serve_options *o,
	       struct err *e) _must_check_;

/*
 * Checks that the servers can start: the programs are installed, the boot server's
 * address is on an interface, 67/udp, 69/udp and the HTTP port are free ("port 80/tcp is
 * taken by nginx (pid 812)"), the user may read the tree. Returns 0, or -1 with a
 * complaint for each obstacle.
 */
int serve_check(const struct serve *s, struct diag *d) _must_check_;

/* Starts both and returns when each listens, or fails with the server's message. */
int serve_start(struct serve *s, struct err *e) _must_check_;

/*
 * Makes the servers read the tree again, which may be another one under the same name.
 * nginx reloads its configuration, without a master process it is started again; so is a
 * DHCP server whose files have changed, unless it can read the change while it runs.
 * Logs what cannot be changed while they run: their user. Invalidates a watch of `s`.
 * Returns 0 when all have the new configuration, or -1 with the reason, and what is
 * served is then:
 *
 *	the old state, when a check fails: the tree, the address, ports that change, both
 *	configurations; and when nginx keeps its old configuration (it says why, or has
 *	no new workers in time)
 *	the new state over HTTP and none over DHCP and TFTP, when dnsmasq does not start
 *	again; serve_wait() fails then
 *	the old state over DHCP and TFTP and none over HTTP, when nginx without a master
 *	process does not start again; serve_wait() fails then
 *	the new state, as far as it came, when the server that was started again runs but
 *	is not seen to listen in time
 *
 * s->info describes the state over HTTP.
 */
int serve_reload(struct serve *s, const struct serve_options *o,
		 struct err *e) _must_check_;

/*
 * Waits until `wake_fd` (-1: none) is readable and returns 1, until a server ends and
 * returns -1 with its last lines, or until `timeout_ms` (-1: no limit) have passed and
 * returns 0. Bounds the logs at each call, which should come every few seconds.
 */
int serve_wait(struct serve *s, int wake_fd, int timeout_ms, struct err *e) _must_check_;

/* Stops all by SIGTERM, and by SIGKILL after 5 s. Does nothing if none runs. */
void serve_stop(struct serve *s);
void serve_done(struct serve *s); /* also stops them */
