/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads one host from a rack.cfg(5): from the cluster group and the host's entry in
 * `hosts`.
 */
#pragma once

#include "firstboot/model/host.h"

/* The two groups as sources of keys. */
extern const struct host_group rack_cluster_group, rack_entry_group;

/* Loads the cluster group and then the entry. Returns 0, or -1 with complaints. */
int rack_entry_load(struct host *h, const struct conf_node *rack,
		    const struct conf_node *entry, struct diag *d) _must_check_;
