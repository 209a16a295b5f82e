/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place for a rack that needs no root: user, network and process namespaces of its own
 * (user_namespaces(7), pid_namespaces(7)), and in it a bridge with one tap a machine.
 */
#pragma once

#include "lib/err.h"
#include "lib/net.h"

#include <sys/types.h>

#define NS_BRIDGE "br-rack"

/*
 * Runs `work` in new namespaces, as their root and first process, and waits for it. What
 * `work` returned is returned, with its error. However it or this process ends, SIGKILL
 * included, the kernel ends every process that is left in there.
 *
 * SIGINT, SIGTERM and SIGHUP are blocked in `work`, which reads them from a signalfd:
 * they are passed on from here (a second one kills it), and it is in a session of its
 * own, so that Ctrl-C on the terminal does not reach its children first.
 *
 * The process's id, as seen from here, stands in `pid_file` meanwhile, for nsenter(1).
 * The caller has changed its user namespace afterwards and has nothing left to do but
 * to end.
 */
int ns_run(int (*work)(void *arg, struct err *e), void *arg, const char *pid_file,
	   struct err *e) _must_check_;

/*
 * Makes the network of a rack inside: lo up, NS_BRIDGE with `address`, and `n` taps
 * (ns_tap) that QEMU may open. *ret_v6 says whether the bridge got an IPv6 address too,
 * for router advertisements; a kernel without IPv6 is no error.
 */
int ns_network(struct cidr address, size_t n, bool *ret_v6, struct err *e) _must_check_;

/* "tap7". Returns `out`. */
const char *ns_tap(size_t i, char out[static 16]);

/*
 * Why this kernel refuses a user namespace or what one needs, and what would change that:
 * what the switches under `proc` ("/proc" but in tests) say, else strerror(errnum). Owned
 * by the caller.
 */
char *ns_refusal(int errnum, const char *proc);
