/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the hosts of a rack, each alone and against each other, after rack.c has loaded
 * them. */
#pragma once

#include "pxe/rack-parts.h"

/* Adds "a.cfg:41: host 'node-7': WHAT host 'node-3' (line 22)WHY", with the places of the
 * first host's key `id` and of the other's `other_id`, or of its entry if that key has
 * none. Returns -1. */
int rack_complain(const struct rack *r, size_t i, enum host_key_id id, const char *what,
		  size_t other, enum host_key_id other_id, const char *why,
		  struct diag *d);

/* Adds a warning about a value of host `i`: "a.cfg:8: host 'node-7': dns: MESSAGE". */
void rack_warn_value(const struct rack *r, size_t i, enum host_key_id id, struct diag *d,
		     const char *fmt, ...) _printf_(5, 6);

/* Finds links of bonds that are another host's too. Returns 0, or -1 with a complaint for
 * each. */
int rack_check_bonds(const struct rack *r, struct diag *d) _must_check_;

/* Derives and checks each host. A complaint that all of several hosts have comes from the
 * cluster group and is reported once. */
void rack_check_each(struct loader *l);

/* Sets the rack's network if node_network is not given, and checks the boot server's
 * address in it. */
void rack_find_network(struct loader *l);

/* Runs all checks that compare hosts. Returns 0, or -1 with every complaint in l->d. */
int rack_check(const struct loader *l) _must_check_;
