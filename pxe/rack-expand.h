/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands a rack.cfg(5) that says many hosts in few lines to one with a group for each:
 *
 *	profiles : { NAME : { keys of a host }; ... };
 *	hosts_file = "hosts.csv";	# a host in each row, as an entry { hosts_file; }
 *	hosts = ( { name = "node-[1-40]";	# rack-range.h, rack-spread.h
 *		    profiles = [ NAME, ... ];	# later ones win
 *		    hosts_file = "...";		# rack-rows.h
 *		    ... keys of a host ... }, ... );
 *
 * rack_find_compact() (rack-entry.h) finds out if a file has any of this. The values of a
 * row win over those of its entry, and these over those of profiles. The
 * groups `vm` of several are merged. Every value keeps the place that it was read from.
 */
#pragma once

#include "pxe/rack-rows.h"

#define RACK_MAX_HOSTS 100000

/* Returns true for a key that a profile cannot have. */
bool rack_key_is_of_host(const char *key);

/*
 * Expands the settings: *ret has `cluster`, `hosts` and what is unknown, and keeps nodes
 * of `root` and texts of the tables, which must outlive it. Without `files`, tables are
 * refused. Returns 0, or -1 with complaints; then *ret lacks the hosts of entries with
 * mistakes.
 */
int rack_expand(struct conf **ret, const struct conf_node *root, bool files,
		struct rack_tables *tables, struct diag *d) _must_check_;
