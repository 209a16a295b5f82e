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
 * Returns the first id of SUBIDS_COUNT ids, a multiple of that, which no line of `subids`
 * (in the format of subuid(5)) has, and which a line of `map` (/proc/PID/uid_map) has all
 * of; 0 when there are none. Those are tried first that shadow and systemd leave free
 * (systemd's UIDS-GIDS.md): from 0x70000000 to 0x7fffffff.
 */
uint32_t subids_free(const char *subids, const char *map);

/* Returns the first id of the first range that has SUBIDS_COUNT ids in the output of
 * getsubids(1), or 0. */
uint32_t subids_parse(const char *text);
