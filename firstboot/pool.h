/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lib/net.h"

/* "http://172.25.0.10:4001/v2/keys/calico/v1/ipam/v4/pool/192.168.0.0-16". Owned. */
char *pool_url(uint32_t etcd, uint16_t port, struct cidr pool);

/* Whether etcd's answer to GET of that key (its v2 API's JSON) is this pool's. */
bool pool_is(const char *body, struct cidr pool);
