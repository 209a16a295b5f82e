/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain that masquerades what pods send out of the cluster, kept by iptables-save and
 * iptables-restore: read what there is, and when it differs make it right in one
 * transaction, so that no packet ever sees half of it.
 */
#pragma once

#include "lib/err.h"

/*
 * What iptables-restore --noflush must read to get from the nat table in `saved`
 * (iptables-save -t nat) to a chain NAT_CHAIN with exactly the `want`ed rules, called
 * once by POSTROUTING; `want` NULL: no such chain. 1: *ret is set, owned by the caller.
 * 0: nothing to do.
 */
int nat_script(const char *saved, char *const *want, char **ret) _must_check_;

/* Reads, compares, restores. 1: changed, 0: it was right already, -1. */
int nat_apply(char *const *want, struct err *e) _must_check_;
