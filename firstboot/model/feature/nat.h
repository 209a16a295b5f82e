/* SPDX-License-Identifier: Apache-2.0 */
/* The feature 'nat': packets from pods to the outside get the address of their host. */
#pragma once

#include "firstboot/model/cidrv.h"

#include <stdbool.h>

#define NAT_KEY_IDS HOST_NAT, HOST_NAT_EXEMPT

struct nat {
	bool on;
	struct cidrv exempt;
};
