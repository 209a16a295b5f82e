/* SPDX-License-Identifier: Apache-2.0 */
/* The checks' other face, for a host that must be reached although it is wrong. */
#pragma once

#include "firstboot/model/host.h"

/* As host_check, and marks in `bad` every key that a complaint was about. Keys that
 * could not be read at all are in h->bad. */
int host_check_keys(const struct host *h, const struct roles *roles, struct diag *d,
		    bool bad[HOST_KEY_COUNT]) _must_check_;
