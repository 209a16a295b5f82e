/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads one host from a rack.cfg(5): from the cluster group and the host's entry in
 * `hosts`.
 */
#pragma once

#include "firstboot/model/host.h"

/* The keys of the two groups that host_load_conf_except() must refuse or ignore: those
 * that belong to the other group, those that host.cfg(5) does not have, and those with
 * another syntax. */
extern const struct other_key rack_cluster_others[], rack_entry_others[];

/* Loads the cluster group and then the entry. Returns 0, or -1 with complaints. */
int rack_entry_load(struct host *h, const struct conf_node *rack,
		    const struct conf_node *entry, struct diag *d) _must_check_;
