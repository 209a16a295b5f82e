/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of subordinate ids (subuid(5), subgid(5)): ids that no account has, which a user
 * namespace can map.
 */
#pragma once

#include "lib/err.h"

#include <stdint.h>

#define SUBIDS_COUNT 65536 /* ids that a range must have: those of a whole system */

/* The first id of a range of SUBIDS_COUNT user ids, and of one of group ids. */
struct subids {
	uint32_t uid, gid;
};

/*
 * Finds the caller's ranges, as getsubids(1) lists them. Root needs no entry: without
 * one, it gets ranges that no entry of /etc/subuid and /etc/subgid has (subids_free).
 */
int subids_find(struct subids *ret, struct err *e) _must_check_;

/*
 * Returns the first id of a range that is free in `subids` (in the format of subuid(5))
 * and fully mapped by one line of `map` (/proc/PID/uid_map), or 0. The first id is a
 * multiple of SUBIDS_COUNT. Tries 0x70000000 to 0x7fffffff first, which shadow and
 * systemd (UIDS-GIDS.md) leave free.
 */
uint32_t subids_free(const char *subids, const char *map);

/* Returns the first id of the first range that has SUBIDS_COUNT ids in the output of
 * getsubids(1), or 0. */
uint32_t subids_parse(const char *text);
