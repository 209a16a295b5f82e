/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the hosts of a rack against each other, after rack.c has loaded them. */
#pragma once

#include "pxe/rack.h"

/* The cluster's master, as the cluster group gives it. */
struct rack_master {
	const char *text; /* as written, or NULL */
	const char *file;
	unsigned line;
	bool outside;     /* an address that no host of this rack has */
	size_t host;      /* index; SIZE_MAX: none of this rack */
	uint32_t address; /* 0: not known */
};

/* Finds the master among the hosts, by name or address. Returns 0, or -1 with a
 * complaint. */
int rack_master_find(const struct rack *r, struct rack_master *m,
		     struct diag *d) _must_check_;

/* Checks if host `i` has a master's role and is not the master, or the other way
 * round. */
bool rack_master_disagrees(const struct rack *r, size_t i, const struct roles *roles,
			   const struct rack_master *m);

/* Finds links of bonds that are another host's too, and BGP peers that the mesh already
 * includes. Returns 0, or -1 with a complaint for each. */
int rack_check_network(const struct rack *r, struct diag *d) _must_check_;

/* Runs all checks that compare hosts. Returns 0, or -1 with every complaint in `d`. */
int rack_check(const struct rack *r, const struct roles *roles,
	       const struct rack_master *m, struct diag *d) _must_check_;
