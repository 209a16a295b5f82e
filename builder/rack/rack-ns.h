/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces in which a rack runs without root: user, network and process namespaces
 * (user_namespaces(7), pid_namespaces(7)), with a bridge and one tap per machine.
 */
#pragma once

#include "lib/err.h"
#include "lib/net.h"

#include <sys/types.h>

#define NS_BRIDGE "br-rack"

/*
 * Runs `work` in new namespaces, as their root and first process, waits for it, and
 * returns its result and error. However that process or this one ends, including by
 * SIGKILL, the kernel ends all processes that are left in the namespaces.
 *
 * SIGINT, SIGTERM and SIGHUP are blocked in `work`, which reads them from a signalfd:
 * this process passes them on (the second one as SIGKILL). `work` has a session of its
 * own, so that Ctrl-C on the terminal does not reach its children first.
 *
 * While `work` runs, `pid_file` has its process id as seen from outside, for nsenter(1).
 * The caller's user namespace is changed afterwards: it should only exit.
 */
int ns_run(int (*work)(void *arg, struct err *e), void *arg, const char *pid_file,
	   struct err *e) _must_check_;

/*
 * Makes the network of a rack; to be called in `work`. Sets lo up, and makes NS_BRIDGE
 * with `address` and `n` taps (ns_tap) that QEMU may open. Sets *ret_v6 to true if the
 * bridge got an IPv6 address too, for router advertisements; a kernel without IPv6 is no
 * error.
 */
int ns_network(struct cidr address, size_t n, bool *ret_v6, struct err *e) _must_check_;

/* Descriptors of the namespaces of a process, for ns_enter(). */
struct ns_fds {
	int user; /* -1: this process is in it already */
	int net;
};

/* Opens the user and network namespace of the process `pid`. Returns 0 or -errno. */
int ns_open(pid_t pid, struct ns_fds *ret) _must_check_;
void ns_done(struct ns_fds *f);

/* Joins these namespaces; `arg` is a struct ns_fds. Returns 0 or -errno.
 * Async-signal-safe. */
int ns_enter(void *arg) _must_check_;

/* Writes the name of tap `i`, like "tap7", to `out`, and returns it. */
const char *ns_tap(size_t i, char out[static 16]);
