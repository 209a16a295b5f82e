/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the chain that masquerades packets from pods to outside the cluster. */
#pragma once

#include "firstboot/model/host.h"

#define NAT_CHAIN "KUBE-OUTBOUND-NAT"

/* Returns the rules of a host in the form of iptables-save; NULL when it shall have no
 * chain. `devices`: of its uplink (firstboot/uplink.h). Owned by the caller. */
char **nat_rules(const struct host *h, const char *devices);
