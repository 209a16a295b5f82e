/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of a host: how it is read from text, and written as text. For the files of
 * the host model and its test.
 *
 * A value is read and written at `k->offset`, so that a table may have any number of keys
 * of a type.
 */
#pragma once

#include "firstboot/model/host.h"

struct host_value_type {
	enum conf_type conf; /* the type of the setting in libconfig */

	/* Reads a single value. Returns 0, or -EINVAL and leaves the old value. NULL for
	 * lists. */
	int (*parse)(struct host *h, const struct host_key *k, const char *text);

	/* Reads a list. Returns 0, or the number of the first wrong element, counted from
	 * 1, and leaves the old value. NULL for single values. */
	size_t (*parse_list)(struct host *h, const struct host_key *k, char *const *v);

	const char *what;    /* description of a right value, to follow "must be" */
	const char *element; /* the same of one element of a list */
};

extern const struct host_value_type host_value_types[]; /* by enum host_type */

/* Frees the memory that the value owns. Leaves its pointers dangling. */
void host_value_done(struct host *h, const struct host_key *k);
/* Removes the value. */
void host_value_clear(struct host *h, const struct host_key *k);
/* Returns true when the host has a value, for an address one that is fixed: always for
 * numbers, booleans and lists of networks. */
bool host_value_is_there(const struct host *h, const struct host_key *k);

/*
 * Returns "must be ..., not VALUE", with at most 60 characters of `value` in quotes, or
 * "must be ..." when `value` is empty. `element`: the number of a list's wrong element,
 * counted from 1; 0: the whole value is wrong. Owned by the caller.
 */
char *host_value_must_be(const struct host_key *k, size_t element, const char *value);

/* Appends the value as host.cfg writes it; nothing when the host has none. */
void host_value_format(const struct host *h, const struct host_key *k, struct buf *b);
