/* SPDX-License-Identifier: Apache-2.0 */
/* Functions shared by the host-check files only. */
#pragma once

#include "firstboot/model/host.h"

struct check {
	const struct host *h;
	const struct roles *roles;
	const struct role *role; /* NULL when not known */
	struct diag *d;
	bool *bad; /* by key: a complaint is about it; or NULL */
	int r;     /* the result: 0 or -1 */
};

/* Marks the key as wrong without adding a complaint. */
void check_mark(struct check *c, enum host_key_id id);

/* Adds a complaint that begins with the origin and name of the key, and marks the key. */
void check_complain(struct check *c, enum host_key_id id, const char *fmt, ...)
	_printf_(3, 4);

/* Records the key's place as the second place of the last complaint. */
void check_other(struct check *c, enum host_key_id id);

/* Complains about a missing key, with the origin of the host's name, or of the first key
 * that is set. */
void check_missing(struct check *c, enum host_key_id id, const char *what);

/* Returns true when the host has a value for the key that could be read, also a default
 * or derived one (host_value_is_there()), and its role has the key's feature. */
bool check_have(const struct check *c, enum host_key_id id);

/* Writes a value in quotes, cut after 60 characters, to `out`. Returns `out`. */
#define CHECK_SHOWN 128
const char *check_show(const char *s, char out[static CHECK_SHOWN]);

/* Complain about each word for which `wrong` returns a mistake (words.h), and about more
 * than `max` words unless `max` is 0. Do nothing when the value could not be read. */
void check_word(struct check *c, enum host_key_id id, const char *s,
		const char *(*wrong)(const char *s));
void check_words(struct check *c, enum host_key_id id, char *const *v, size_t max,
		 const char *(*wrong)(const char *s));

/* Complains when `net` has host bits set. */
void check_network(struct check *c, enum host_key_id id, struct cidr net);

/* Complains about the key `id` when its network overlaps that of `other`. Does nothing
 * unless the host has both. */
void check_network_apart(struct check *c, enum host_key_id id, struct cidr net,
			 enum host_key_id other, struct cidr other_net);

/* Complains about an MTU that no link has; 0 is right. */
void check_mtu(struct check *c, enum host_key_id id, uint32_t mtu);

void check_bond(struct check *c); /* and the VLAN */
void check_secrets(struct check *c);
