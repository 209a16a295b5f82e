/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy for machines that are no hosts of the rack, of rack.cfg's cluster group:
 *
 *	strangers : { policy = "ask"; pool = "172.25.0.200-172.25.0.250"; };
 *
 * `policy` is "ask" by default. Without a pool they get no address by DHCP.
 */
#pragma once

#include "lib/net.h"

enum strangers_policy {
	STRANGERS_ASK,        /* ask again every 15 s whether they are a host now */
	STRANGERS_LOCAL_DISK, /* boot from their own disk, or the next boot device */
	STRANGERS_NOTHING,    /* stand still */
};

/* Returns the word of rack.cfg and of the templates. */
const char *strangers_policy_name(enum strangers_policy policy);

struct rack_strangers {
	enum strangers_policy policy;
	bool is_set;
	uint32_t first, last; /* the pool; 0: none */
	char *file;           /* the place of the pool, or of the group */
	unsigned line;
};
void rack_strangers_done(struct rack_strangers *s);

/* The text form of a pool, "172.25.0.200-172.25.0.250", with NUL. */
#define STRANGERS_POOL_LEN (2 * NET_ADDR_LEN)
/* Parses it. Returns 0, or -EINVAL and leaves the results unchanged. */
int strangers_pool_parse(const char *s, uint32_t *ret_first,
			 uint32_t *ret_last) _must_check_;
/* Writes it to `out`, and returns that. */
const char *strangers_pool_format(uint32_t first, uint32_t last,
				  char out[static STRANGERS_POOL_LEN]);

struct loader;
/* Loads the group, when the networks and hosts are known. Complaints make l->r -1. */
void rack_load_strangers(struct loader *l);
