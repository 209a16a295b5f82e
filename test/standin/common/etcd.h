/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd's v2 keys (etcd 2.0 Documentation/api.md), as far as the stand-ins need them.
 * Keys begin with '/'.
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

/* 1: *ret is etcd's "node" (new reference), with its tree below; 0: no such key; -1. */
int etcd_get(const struct http_target *t, const char *key, json_t **ret,
	     struct err *e) _must_check_;

enum etcd_condition {
	ETCD_ALWAYS,
	ETCD_CREATE, /* only if the key is not there */
	ETCD_INDEX,  /* only if its modifiedIndex is `index` */
};

/*
 * 1: written, *ret is the node (may be NULL if not wanted); 0: the condition does not
 * hold (with ETCD_INDEX also: there is no such key); -1.
 */
int etcd_put(const struct http_target *t, const char *key, const char *value,
	     enum etcd_condition condition, uint64_t index, json_t **ret,
	     struct err *e) _must_check_;

/* 1: removed, with what is below it; 0: was not there; -1. */
int etcd_delete(const struct http_target *t, const char *key, struct err *e) _must_check_;

/* Of a node. */
const char *etcd_node_value(const json_t *node); /* NULL for a directory */
uint64_t etcd_node_index(const json_t *node);    /* modifiedIndex */
