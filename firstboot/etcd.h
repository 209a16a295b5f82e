/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in etcd by its v2 API (etcd 2.0, Documentation/api.md), over curl like everything
 * else here that speaks HTTP.
 */
#pragma once

#include "lib/err.h"
#include "lib/net.h"

/*
 * Sees to it that `key` ("/calico/v1/...") says `want`. If that is a JSON object, each of
 * its members must be in the key's value as it is here, and whatever else is in the value
 * stays; a number and the same number in quotes are equal. Any other text must be the
 * value itself.
 *
 * Written only if it does not say so, and only over what was read (prevExist=false,
 * prevIndex=): of two that write at once, one does and the other looks again. Returns
 * only after the key was read and said so: 1, changed; 0, it was so; -1, with the reason,
 * and nothing half done.
 */
int etcd_ensure(struct hostport at, const char *key, const char *want,
		struct err *e) _must_check_;

/* Asks whether there is such a key, with a value. Returns 1, 0 (etcd's own "Key not
 * found", error 100) or -1 (anything else, with the reason). */
int etcd_has(struct hostport at, const char *key, struct err *e) _must_check_;

/* Whether `value` says `want`; if not, *ret (may be NULL) is what would. Owned. */
bool etcd_says(const char *value, const char *want, char **ret);
