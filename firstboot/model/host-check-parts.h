/* SPDX-License-Identifier: Apache-2.0 */
/* host_check's parts, for its files among themselves. */
#pragma once

#include "firstboot/model/host.h"

struct check {
	const struct host *h;
	const struct roles *roles;
	const struct role *role; /* NULL when not known */
	struct diag *d;
	bool *bad; /* by key, or NULL */
	int r;
};

/* Notes that the key is wrong, without a complaint. */
void check_mark(struct check *c, enum host_key_id id);

/* At the place that the key's value came from. */
void check_complain(struct check *c, enum host_key_id id, const char *fmt, ...)
	_printf_(3, 4);

/* Whether the key has a value that could be read; a default or derived one counts. */
bool check_have(const struct check *c, enum host_key_id id);

/* A value in quotes, short enough for a message. Returns out. */
#define CHECK_SHOWN 128
const char *check_show(const char *s, char out[static CHECK_SHOWN]);

/* Words by what `wrong` says of them (words.h); at most `max`, 0: any number. */
void check_word(struct check *c, enum host_key_id id, const char *s,
		const char *(*wrong)(const char *s));
void check_words(struct check *c, enum host_key_id id, char *const *v, size_t max,
		 const char *(*wrong)(const char *s));

/* That it is a network, without host bits. */
void check_network(struct check *c, enum host_key_id id, struct cidr net);

void check_bond(struct check *c); /* and the VLAN */
void check_bgp(struct check *c);  /* and the pools */
