/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proposes entries of a rack file for machines that are no hosts yet: what a new host
 * would probably get if it is like those that are there. A person decides: the role is
 * that of most hosts, addresses are the next ones behind the highest.
 */
#pragma once

#include "pxe/port-map.h"
#include "pxe/tree.h"

struct machine;

struct proposal {
	char *name;                   /* by the map of ports, or "new-525400999999" */
	const char *role;             /* of the tree's */
	struct cidr address;          /* prefix 0: none is free, or DHCP gives them */
	char *columns[FEATURE_COUNT]; /* the next value of a column_key(), or NULL */
	const char *serial, *uuid; /* those of the machine that rack.cfg takes, or NULL */
};
void proposal_done(struct proposal *p);

/* Zero-initialise; then proposals_learn(). */
struct proposals {
	const struct port_map *map;         /* or NULL; not owned */
	char *role;                         /* of most hosts; NULL: there is none */
	struct intern used;                 /* addresses */
	struct cidr last;                   /* address that was used or proposed */
	uint32_t pool_first, pool_last;     /* are not for hosts; 0: none */
	bool has_column[FEATURE_COUNT];     /* all hosts of the role have such a value */
	struct cidr columns[FEATURE_COUNT]; /* the last one; prefix 0: none is left */
};
/* Takes over what the tree's hosts have. When the tree was rendered again, it is called
 * again: role and columns stay as they were. */
void proposals_learn(struct proposals *p, const struct tree_info *info);
/* Proposes an entry. Each call proposes other addresses. */
void proposals_next(struct proposals *p, const struct machine *m, struct proposal *ret);
void proposals_done(struct proposals *p);
#define _cleanup_proposals_ _cleanup_(proposals_done)
