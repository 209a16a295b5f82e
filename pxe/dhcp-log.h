/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a DHCP server's log that tell of a machine. A tree's servers are dnsmasq,
 * which logs the TFTP requests also where Kea gives out the addresses, and Kea:
 *
 *	TREE/run/dnsmasq.log, of dnsmasq 2.x (rfc2131.c, log_packet())
 *	"Dec  1 07:17:29 dnsmasq-dhcp[7]: DHCPDISCOVER(br0) [ADDRESS ]MAC [no address
 *	 available]"
 *	"... DHCPOFFER(br0) ADDRESS MAC", "... DHCPACK(br0) ADDRESS MAC [name]"
 *	"... PXE(br0) [ADDRESS ]MAC proxy" or "proxy-ignored"
 *
 *	TREE/run/kea.log, of Kea 2.x (Kea Messages Manual)
 *	"2026-12-01 07:17:29.131 INFO  [kea-dhcp4.leases/7.9] DHCP4_LEASE_ADVERT [hwtype=1
 *	 MAC], cid=..., tid=...: lease ADDRESS will be advertised"
 *	"... DHCP4_LEASE_ALLOC [hwtype=1 MAC], ...: lease ADDRESS has been allocated ..."
 *	"... ALLOC_ENGINE_V4_ALLOC_FAIL_NO_POOLS [hwtype=1 MAC], ..."
 *	"... ALLOC_ENGINE_V4_ALLOC_FAIL [hwtype=1 MAC], ..." when the pool is used up
 *
 * Everything in them is what somebody on the network claims. A name at the end of a line
 * is the machine's own choice, and is not read.
 */
#pragma once

#include "lib/net.h"
#include "pxe/tail.h"

#include <time.h>

struct dhcp_line {
	struct mac mac;   /* unicast */
	bool asked;       /* it asked for an address */
	bool refused;     /* it asked, and gets none, because it is no host */
	uint32_t address; /* that it was offered or given, or 0 */
	uint64_t ms;      /* since the epoch; 0: the line has no time */
};

/* Returns true if the line tells of a machine. Both servers write local time, dnsmasq
 * without the year, which is chosen so that it is in the twelve months before `now`. */
bool dhcp_line_parse(const char *line, time_t now, struct dhcp_line *ret);

#define DHCP_LOGS 2
struct dhcp_logs {
	struct tail logs[DHCP_LOGS];
};

/* Opens the logs of the tree, which need not exist, or with `old` the older parts of them
 * (TREE/run/kea.log.old). `from_end`: skips what they have. */
void dhcp_logs_open(struct dhcp_logs *l, const char *dir, bool old, bool from_end);
/* Begins a turn of each log: tail_turn(). */
bool dhcp_logs_turn(struct dhcp_logs *l, size_t bytes);
/* Returns true if everything that may be read of a log in this turn was read, and it may
 * have more. */
bool dhcp_logs_have_more(const struct dhcp_logs *l);
/* Reads the next line that tells of a machine. Returns false if there is none yet. */
bool dhcp_logs_next(struct dhcp_logs *l, time_t now, struct dhcp_line *ret);
void dhcp_logs_done(struct dhcp_logs *l);
