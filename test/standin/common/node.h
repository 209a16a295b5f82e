/* SPDX-License-Identifier: Apache-2.0 */
/* A node as the kubelet of 0.20 describes the machine it runs on. */
#pragma once

#include "test/standin/common/etcd.h"

struct node_facts {
	const char *name; /* hostname_override or the host's name */
	const char *docker_version;
	const char *kubelet_version; /* says that it is a stand-in */
	uint64_t max_pods;
};

/* The object to register; without conditions. New reference. */
json_t *node_make(const struct node_facts *f);

/* Sets capacity, addresses, nodeInfo and the Ready condition. `why_not` NULL: ready. */
void node_set_status(json_t *node, const struct node_facts *f, const char *why_not);
