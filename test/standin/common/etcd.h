/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of etcd's v2 keys API (etcd 2.0 Documentation/api.md): the part that the
 * stand-ins need. Keys begin with '/'.
 */
#pragma once

#include "test/standin/common/client.h"

#include <jansson.h>

/* Scope guard for jansson's values. */
static inline void json_decref_p(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_t_ _cleanup_(json_decref_p)

/* Returns 1 and sets *ret to etcd's "node" (new reference) with everything below it; 0
 * when there is no such key; -1 on failure. */
int etcd_get(const struct http_target *t, const char *key, json_t **ret,
	     struct err *e) _must_check_;

enum etcd_condition {
	ETCD_ALWAYS,
	ETCD_CREATE, /* only if the key does not exist */
	ETCD_INDEX,  /* only if its modifiedIndex is `index` */
};

/*
 * Returns 1 when the value was written; *ret is then the node (`ret` may be NULL).
 * Returns 0 when the condition does not hold (with ETCD_INDEX also when there is no such
 * key), -1 on failure.
 */
int etcd_put(const struct http_target *t, const char *key, const char *value,
	     enum etcd_condition condition, uint64_t index, json_t **ret,
	     struct err *e) _must_check_;

/* Returns 1 when the key was removed with everything below it, 0 when it did not exist,
 * -1 on failure. */
int etcd_delete(const struct http_target *t, const char *key, struct err *e) _must_check_;

/* Return the value and the modifiedIndex of a node. */
const char *etcd_node_value(const json_t *node); /* NULL for a directory */
uint64_t etcd_node_index(const json_t *node);    /* modifiedIndex */
