/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features 'kubernetes', for every host of a cluster, and 'kubernetes-master', for
 * the host that runs its API server and etcd.
 */
#pragma once

#include "lib/net.h"

#define KUBERNETES_KEY_IDS HOST_MASTER, HOST_ETCD, HOST_SERVICE_NETWORK

struct kubernetes {
	uint32_t master;      /* 0: not given */
	struct hostport etcd; /* addr 0: none */
	struct cidr service_network;
};
