/* SPDX-License-Identifier: Apache-2.0 */
/* A machine with a fake systemctl that answers from a file, with roles, and with
 * routes. */
#pragma once

#include "test-firstboot-root.h"

/* The output of `systemctl show` for one unit. */
#define UNIT(active, sub, result, type, ran)                                             \
	"Type=" type "\nResult=" result "\nExecMainExitTimestampMonotonic=" ran          \
	"\nLoadState=loaded\nActiveState=" active "\nSubState=" sub                      \
	"\nActiveEnterTimestampMonotonic=5000000\n"
#define ACTIVE UNIT("active", "running", "success", "simple", "0")
#define BROKEN UNIT("activating", "auto-restart", "exit-code", "simple", "17")

/* Installs a fake systemctl: "show" prints DIR/show; the arguments of every call are
 * appended to DIR/systemctl.log. */
static _unused_ void fake_systemctl(const struct machine *m)
{
	_cleanup_free_ char *text = NULL, *path = NULL;

	text = xasprintf("#!/bin/sh\necho \"$@\" >>%s/systemctl.log\n"
			 "[ \"$1\" != show ] || exec cat %s/show\n",
			 m->dir, m->dir);
	write_file(m, "bin/systemctl", text);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/systemctl", 0755, 0), 0);
	path = xasprintf("%s/bin:/usr/sbin:/usr/bin:/sbin:/bin", m->dir);
	setenv("PATH", path, 1);
}

static _unused_ void write_roles(const struct machine *m, uint16_t port)
{
	_cleanup_free_ char *text = xasprintf(
		"roles = ( { name = \"node\"; features = [ \"kubernetes\", \"cbr0\", "
		"\"nat\", \"calico\", \"docker\", \"network-environment\" ];\n"
		"  units = [ \"a.service\", \"kube-kubelet.service\" ];\n"
		"  ready = [ \"http://127.0.0.1:%u/ok\", "
		"\"http://127.0.0.1:%u/nodes/${DEFAULT_IPV4}\" ]; },\n"
		"{ name = \"master\"; features = [ \"kubernetes-master\", \"nat\", "
		"\"calico\", \"docker\", \"network-environment\" ]; } );\n",
		port, port);

	write_file(m, "usr/lib/rackstrap/roles.cfg", text);
}

/* The content of /proc/net/route without a default route; the macros below are lines to
 * append. */
#define ROUTES                                                                           \
	"Iface\tDestination\tGateway "                                                   \
	"\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"                            \
	"IRTT\n"                                                                         \
	"eth0\t000019AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
#define DEFAULT_ROUTE "eth0\t00000000\t010019AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
#define REJECT_ROUTE  "*\t00000000\t00000000\t0200\t0\t0\t-1\t00000000\t0\t0\t0\n"
/* A route to 0.0.0.0/1 is not a default route. */
#define HALF_ROUTE "eth0\t00000000\t010019AC\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
