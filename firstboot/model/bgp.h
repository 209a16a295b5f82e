/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address pools and BGP peers as a configuration writes them: calicoctl's own words, so
 * that what is known of the one is known of the other.
 *
 *	pools = [ "192.168.0.0/16", "192.168.64.0/18 ipip nat-outgoing" ];
 *	bgp_peers = [ "10.0.0.1 as 64512" ];
 */
#pragma once

#include "lib/net.h"

struct bgp_pool {
	struct cidr net;
	bool ipip;         /* between hosts, packets of pods travel in IP-in-IP */
	bool nat_outgoing; /* Calico masquerades what leaves all pools */
};

struct bgp_peer {
	uint32_t addr;
	uint32_t as;
};

/* 0 or -EINVAL. */
int bgp_pool_parse(const char *s, struct bgp_pool *ret) _must_check_;
int bgp_peer_parse(const char *s, struct bgp_peer *ret) _must_check_;

/* What is wrong with the word, to stand behind it in a message; NULL: nothing. */
const char *bgp_pool_wrong(const char *s);
const char *bgp_peer_wrong(const char *s);

/* AS numbers that are no network's. */
bool bgp_as_is_reserved(uint32_t as);
