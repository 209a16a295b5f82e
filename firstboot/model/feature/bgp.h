/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address pools and BGP peers of a configuration, in the syntax of calicoctl's
 * command line.
 *
 *	pools = [ "192.168.0.0/16", "192.168.64.0/18 ipip nat-outgoing" ];
 *	bgp_peers = [ "10.0.0.1 as 64512" ];
 */
#pragma once

#include "lib/net.h"

struct bgp_pool {
	struct cidr net;
	bool ipip;         /* packets between pods of two hosts are sent in IP-in-IP */
	bool nat_outgoing; /* Calico masquerades packets to addresses in no pool */
};

struct bgp_peer {
	uint32_t addr;
	uint32_t as;
};

/* Parse one pool or peer. Return 0, or -EINVAL and leave *ret unchanged. */
int bgp_pool_parse(const char *s, struct bgp_pool *ret) _must_check_;
int bgp_peer_parse(const char *s, struct bgp_peer *ret) _must_check_;

/* Return NULL when the word is right, else the mistake, to follow the word in a
 * message. */
const char *bgp_pool_wrong(const char *s);
const char *bgp_peer_wrong(const char *s);

/* Returns true for AS numbers that no network may use (RFC 6793, RFC 7300). */
bool bgp_as_is_reserved(uint32_t as);
