/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the machines that are no hosts of a boot tree in the logs of its servers:
 *
 *	TREE/run/access.log	what they say of themselves, in the query of a request for
 *				/strangers.ipxe or .grub
 *	TREE/run/dnsmasq.log, TREE/run/kea.log	who asked for an address
 *
 * and in the older parts of these logs, .old. All of it is what somebody on the network
 * claims. A host that was found by its serial number or UUID is no unknown machine.
 */
#pragma once

#include "pxe/dhcp-log.h"
#include "pxe/machines.h"
#include "pxe/tree.h"

#include <sys/stat.h>

struct discover {
	char *dir;
	struct tree_info info;
	struct intern hosts; /* what identifies the hosts of the tree */
	struct stat tree;    /* of tree.cfg, as it was read */
	struct machines machines;
	/* The addresses that a host's boot script was given to, and when last. */
	struct intern served;
	uint64_t *served_ms;
	struct tail access;
	struct dhcp_logs dhcp;
};

/* Reads the tree and its logs. `now` completes the times of dnsmasq, which have no year.
 */
int discover_open(struct discover *ret, const char *dir, time_t now,
		  struct err *e) _must_check_;
/* Reads what the logs have now, and the tree if it was rendered again. A tree that cannot
 * be read leaves the one before. Returns true if there may be more to read. */
bool discover_turn(struct discover *d, time_t now);
/* Returns the unknown machines, the one that was first seen last at the end, and their
 * number. The list is owned by the caller, and valid until the next turn. */
struct machine **discover_list(const struct discover *d, size_t *ret_n);
void discover_done(struct discover *d);
#define _cleanup_discover_ _cleanup_(discover_done)

/* Notes what a line of a DHCP server's log says, or an entry of the access log. */
void discover_dhcp(struct machines *t, const struct dhcp_line *l);
struct access;
void discover_request(struct machines *t, const struct access *a);
