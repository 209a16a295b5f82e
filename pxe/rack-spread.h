/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values that the hosts of one entry of rack.cfg(5) have for one key. The entry
 * stands for `count` hosts ("node-[1-40]"). For each of them
 *	a text with ranges (rack-range.h), also in a list or group, gives its next value;
 *	a list of as many gives `mac`, `serial` and `uuid`, which differ between machines;
 *	an address without a range counts up, and so does a network like cbr0's, by its
 *	size;
 *	any other value is the same.
 */
#pragma once

#include "firstboot/model/conf.h"

struct rack_spread;

/* Prepares the values of a member of an entry, which must outlive it. `prefix` precedes
 * complaints. Returns 0, or -1 with complaints. */
int rack_spread_make(struct rack_spread **ret, const struct conf_node *n, size_t count,
		     const char *prefix, struct diag *d) _must_check_;
/* Does that for an entry that is one host by its name, which has no range: brackets in
 * its values are text. */
int rack_spread_make_one(struct rack_spread **ret, const struct conf_node *n,
			 const char *prefix, struct diag *d) _must_check_;
/* Returns the value of host `i` of `count`: the member itself, or a node that `to`
 * owns. */
const struct conf_node *rack_spread_at(const struct rack_spread *s, struct conf *to,
				       size_t i);
void rack_spread_free(struct rack_spread *s);

/* Returns a node with a key of host.cfg as it is written in libconfig, from its text as
 * on the kernel command line: a list's elements are separated by commas. A text that is
 * none of the key's type becomes a string, for the complaint about it. `to` owns the
 * node, whose place is that of `at`. */
const struct conf_node *rack_spread_value(struct conf *to, const char *key,
					  const char *text, const struct conf_node *at);
/* Does that for a member of the group `vm`. */
const struct conf_node *rack_spread_vm_value(struct conf *to, const char *key,
					     const char *text,
					     const struct conf_node *at);
