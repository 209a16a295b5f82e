/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads one host from a rack.cfg(5): from the cluster group and the host's entry in
 * `hosts`. A medium's rack.cfg has an entry for each host.
 */
#pragma once

#include "firstboot/model/host.h"

/* The two groups as sources of keys. */
extern const struct host_group rack_cluster_group, rack_entry_group;

/* Returns true for `mac`, `serial` and `uuid`, which no two machines share. */
bool rack_key_is_of_machine(const char *key);

/* Returns the first setting of a rack.cfg(5) by which it describes many hosts in few
 * lines (pxe/rack-expand.h), or NULL when `hosts` has a group for each. */
const struct conf_node *rack_find_compact(const struct conf_node *rack);

/* Loads the cluster group and then the entry. Returns 0, or -1 with complaints. */
int rack_entry_load(struct host *h, const struct conf_node *rack,
		    const struct conf_node *entry, struct diag *d) _must_check_;
