/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of a rack.cfg(5) that one host is made of: the cluster group and the entry
 * of the host in `hosts`.
 */
#pragma once

#include "firstboot/model/host.h"

/* What the two groups hold beside a host's own keys, or say of the host in another way,
 * or may not hold: for host_load_conf_except. NULL-terminated. */
extern const char *const rack_cluster_others[], *const rack_entry_others[];

/* Lays the cluster group and the entry over a host. 0 or -1. */
int rack_entry_load(struct host *h, const struct conf_node *rack,
		    const struct conf_node *entry, struct diag *d) _must_check_;
