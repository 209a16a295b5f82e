/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The users and groups in etc/passwd and etc/group below a root (passwd(5), group(5)).
 * getpwnam(3) cannot be used: firstboot is static, and the root may be another one than
 * the machine's.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

struct accounts {
	char *passwd, *group; /* the files' texts, "" for one that cannot be read */
};

void accounts_read(struct accounts *ret, int rootfd);
void accounts_done(struct accounts *a);
#define _cleanup_accounts_ _cleanup_(accounts_done)

/* Find a user and its own group, or a group. Root is there also without a file. Return 0
 * or -ENOENT. */
int accounts_user(const struct accounts *a, const char *name, uid_t *ret_uid,
		  gid_t *ret_gid) _must_check_;
int accounts_group(const struct accounts *a, const char *name, gid_t *ret) _must_check_;
