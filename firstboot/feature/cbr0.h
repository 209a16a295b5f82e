/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge cbr0, by rtnetlink. */
#pragma once

#include "lib/err.h"
#include "lib/net.h"

/* Makes cbr0 with this address and MTU (0: any). Returns the number of changes, or -1. */
int bridge_apply(struct cidr want, uint32_t mtu, struct err *e) _must_check_;

/* Removes cbr0 if it is a bridge. Returns 1 when it was removed, 0, or -1. */
int bridge_remove(struct err *e) _must_check_;
