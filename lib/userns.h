/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces (user_namespaces(7)) that outlive the process that made them. */
#pragma once

#include "lib/err.h"

#include <stdint.h>
#include <sys/types.h>

/* A line of /proc/PID/uid_map or gid_map: `count` ids from `inside` on are, seen from
 * the parent namespace, those from `outside` on. */
struct id_map {
	uint32_t inside, outside, count;
};

#define ID_MAP_MAX 4 /* lines of a map */

/* The maps of a user namespace; a line with count 0 ends a map. */
struct id_maps {
	struct id_map uids[ID_MAP_MAX], gids[ID_MAP_MAX];
};

/*
 * Makes a user namespace. Its parent is the user namespace `parent` (a descriptor), in
 * which the caller must be able to become root, or with -1 the caller's own. For an
 * ordinary user and parent -1, newuidmap(1) and newgidmap(1) write the maps, if
 * /etc/subuid and /etc/subgid allow them. *ret is a descriptor of the namespace, which
 * exists for as long as the descriptor.
 */
int userns_open(int parent, const struct id_maps *maps, int *ret,
		struct err *e) _must_check_;

/*
 * Joins a user namespace and becomes root in it, without supplementary groups if
 * `drop_groups`. Returns 0 or -errno. Async-signal-safe. The process must have one
 * thread.
 */
int userns_join(int fd, bool drop_groups) _must_check_;

/*
 * Returns the reason why this kernel refuses a namespace or device, and the command that
 * would change it: from the settings under `proc` ("/proc" except in tests), else
 * strerror(errnum). Owned by the caller.
 */
char *userns_refusal(int errnum, const char *proc);
