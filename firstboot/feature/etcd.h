/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes keys in etcd by its v2 API (etcd 2.0, Documentation/api.md), with
 * curl.
 */
#pragma once

#include "lib/err.h"
#include "lib/net.h"

/*
 * Makes the value of `key` ("/calico/v1/...") contain `want`. When that is a JSON object,
 * each of its members must be in the key's value, and other members of the value are
 * kept; a number and the same number in quotes are equal. Any other text must be the
 * whole value.
 *
 * Writes only when the value differs, and only if it is still the value that was read
 * (prevExist=false, prevIndex=): of two concurrent writers one fails and reads again.
 * Returns after the key was read with the wanted value: 1 when it was changed, 0 when it
 * was right, or -1 with the reason.
 */
int etcd_ensure(struct hostport at, const char *key, const char *want,
		struct err *e) _must_check_;

/* Returns 1 when the key exists and has a value, 0 when etcd answers "Key not found"
 * (error 100), or -1 with the reason for any other answer. */
int etcd_has(struct hostport at, const char *key, struct err *e) _must_check_;

/* Returns true when `value` contains `want` as etcd_ensure() describes. If not, sets *ret
 * to a value that does, owned by the caller; `ret` may be NULL. */
bool etcd_contains(const char *value, const char *want, char **ret);
