/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts of a rack held against each other (rack.c's second half). */
#pragma once

#include "pxe/rack.h"

/* Who the cluster group says the master is. */
struct rack_master {
	const char *text; /* as written, or NULL */
	const char *file;
	unsigned line;
	bool outside;     /* an address that no host of this rack has */
	size_t host;      /* index; SIZE_MAX: none of this rack */
	uint32_t address; /* 0: not known */
};

/* Finds the master among the hosts, by name or address. Complains and returns -1. */
int rack_master_find(const struct rack *r, struct rack_master *m,
		     struct diag *d) _must_check_;

/* Whether host `i` has a master's role and is not the master, or the other way round. */
bool rack_master_disagrees(const struct rack *r, size_t i, const struct roles *roles,
			   const struct rack_master *m);

/* Links of bonds that are another host's too; BGP peers that the mesh has already. */
int rack_check_network(const struct rack *r, struct diag *d) _must_check_;

/* Everything that only shows when the hosts are seen together. 0 or -1. */
int rack_check(const struct rack *r, const struct roles *roles,
	       const struct rack_master *m, struct diag *d) _must_check_;
