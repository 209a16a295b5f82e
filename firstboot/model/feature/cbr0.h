/* SPDX-License-Identifier: Apache-2.0 */
/* The feature 'cbr0': a bridge with a /24 of the pod network for the host's
 * containers. */
#pragma once

#include "lib/net.h"

#define CBR0_KEY_IDS HOST_CBR0, HOST_CBR0_MTU

struct cbr0 {
	struct cidr address; /* prefix 0: none */
	uint32_t mtu;        /* 0: the kernel's own */
};
