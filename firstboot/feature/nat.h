/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain that masquerades packets from pods to outside the cluster. It is read with
 * iptables-save and, when it differs, replaced with iptables-restore in one transaction,
 * so that no packet meets an incomplete chain.
 */
#pragma once

#include "firstboot/plan/feature/nat.h"
#include "lib/err.h"

/*
 * Makes the input for iptables-restore --noflush that changes the nat table in `saved`
 * (iptables-save -t nat) so that the chain NAT_CHAIN has exactly the rules `want` and
 * POSTROUTING calls it once; or, when `want` is NULL, so that there is no such chain.
 * Returns 1 and sets *ret, owned by the caller, or 0 when no change is needed.
 */
int nat_script(const char *saved, char *const *want, char **ret) _must_check_;

/* Makes the chain as nat_script() describes. Returns 1 when it was changed, 0 when it was
 * right, or -1. */
int nat_apply(char *const *want, struct err *e) _must_check_;
