/* SPDX-License-Identifier: Apache-2.0 */
/* The feature 'calico': routes between the pods of all hosts by BGP (Calico 0.4.8). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CALICO_KEY_IDS                                                                   \
	HOST_POOLS, HOST_BGP_AS, HOST_BGP_MESH, HOST_BGP_PEERS, HOST_BGP_NODE_PEERS

struct calico {
	char **pools; /* as in host.cfg; bgp.h parses them */
	uint32_t as;  /* the hosts' AS number; 0: Calico's own, 64511 */
	bool mesh;    /* every host peers with every other */
	char **peers, **node_peers;
};
