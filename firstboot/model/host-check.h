/* SPDX-License-Identifier: Apache-2.0 */
/* host_check() that also reports which keys are wrong; used by apply's rescue mode. */
#pragma once

#include "firstboot/model/host.h"

/* Does what host_check does and sets bad[KEY] for every key that a complaint is about.
 * Keys that could not be read are marked in h->bad instead. */
int host_check_keys(const struct host *h, const struct roles *roles, struct diag *d,
		    bool bad[HOST_KEY_COUNT]) _must_check_;
