/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much this machine has sent over its TCP connections so far: sock_diag(7),
 * linux/inet_diag.h and `struct tcp_info` of linux/tcp.h. Needs no rights. Connections in
 * other network namespaces are not seen.
 */
#pragma once

#include "lib/cleanup.h"

struct tcp_flow {
	uint64_t id;    /* of the connection, as long as the machine runs */
	uint64_t acked; /* bytes that have arrived at the peer */
	uint32_t peer;  /* its IPv4 address */
};

/* Lists the established connections whose local end is this IPv4 address and port. *ret
 * is an array owned by the caller. Returns 0 or -errno. */
int tcp_flow_list(uint32_t address, uint16_t port, struct tcp_flow **ret,
		  size_t *n) _must_check_;
