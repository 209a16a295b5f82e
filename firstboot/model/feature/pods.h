/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feature 'pods': the network of all containers of a cluster. Other features include
 * it: a host with it forwards packets between its containers and the other hosts.
 */
#pragma once

#include "lib/net.h"

#define PODS_KEY_IDS HOST_POD_NETWORK

struct pods {
	struct cidr network;
};
