/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a Node object as the kubelet of 0.20 does for the machine it runs on. */
#pragma once

#include "test/standin/common/etcd.h"

struct node_facts {
	const char *name; /* hostname_override or the host's name */
	const char *docker_version;
	const char *kubelet_version; /* identifies it as a stand-in */
	uint64_t max_pods;
};

/* Returns the Node object to register, without conditions. New reference. */
json_t *node_make(const struct node_facts *f);

/* Sets capacity, addresses, nodeInfo and the Ready condition. `why_not` is the reason why
 * the node is not ready; NULL: it is ready. */
void node_set_status(json_t *node, const struct node_facts *f, const char *why_not);
