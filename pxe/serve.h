/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot server: dnsmasq and nginx over a rendered tree, as children in the
 * foreground, watched. `rackstrap serve` runs it on the boot server, `rackstrap rack` in
 * a network namespace of its own.
 *
 * As root both drop to a user that may not do more than read the tree and write reports.
 * In a user namespace that maps one id there is nobody to drop to (and setgroups(2) is
 * denied): then both stay what they are, and nginx runs without a master process. What
 * they say goes to TREE/run/dnsmasq.log and TREE/run/nginx.log, requests to
 * TREE/run/access.log (access.h).
 *
 * Limit: in the foreground as root dnsmasq changes its user, which takes from the kernel
 * the order to end it with its parent: it outlives a `rackstrap serve` killed by SIGKILL,
 * and the next one names it as the owner of port 67.
 */
#pragma once

#include "lib/run.h"
#include "pxe/tree.h"

struct serve_options {
	const char *user; /* who serves; NULL: the tree's owner, or nobody when that is
			     root */
};

struct serve {
	char *dir; /* of the tree, absolute */
	struct tree_info info;
	char *user, *group; /* NULL: stay who we are */
	uid_t uid;
	gid_t gid;
	bool lone; /* one id mapped: no user to drop to */
	struct serve_child {
		struct child child;
		int pidfd; /* readable once it ended; -1: not running */
		char *log; /* what it says; one earlier run's is kept as LOG.old */
	} dnsmasq, nginx;
};

/* Reads the tree and finds out who is to serve. Zeroes `ret` first. */
int serve_open(struct serve *ret, const char *dir, const struct serve_options *o,
	       struct err *e) _must_check_;

/*
 * Whether it would start: the programs are there, the boot server's address is on an
 * interface, 67/udp and 69/udp and the HTTP port are free ("port 80/tcp is taken by nginx
 * (pid 812)"), the user may read the tree. Every obstacle is one complaint. 0 or -1.
 */
int serve_check(const struct serve *s, struct diag *d) _must_check_;

/* Starts both and returns once each listens, or fails with what it said. */
int serve_start(struct serve *s, struct err *e) _must_check_;

/*
 * Waits until one dies (-1, with its last lines), `wake_fd` is readable (1; -1: none) or
 * `timeout_ms` is over (0; -1: never).
 */
int serve_wait(struct serve *s, int wake_fd, int timeout_ms, struct err *e) _must_check_;

/* SIGTERM to both, SIGKILL after 5 s. Safe when nothing runs. */
void serve_stop(struct serve *s);
void serve_done(struct serve *s); /* serve_stop, and frees */
#define _cleanup_serve_ _cleanup_(serve_done)
