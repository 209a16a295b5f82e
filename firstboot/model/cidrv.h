/* SPDX-License-Identifier: Apache-2.0 */
/* A list of networks. */
#pragma once

#include "lib/net.h"

#include <stddef.h>

struct cidrv {
	struct cidr *v;
	size_t n;
};
