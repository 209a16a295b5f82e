/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API server's objects in etcd, under the keys that Kubernetes 0.20 uses: JSON as
 * version v1 writes it, a node at /registry/minions/NAME, a service at
 * /registry/services/specs/NAMESPACE/NAME. An object's resourceVersion is its key's
 * modifiedIndex and is not stored.
 */
#pragma once

#include "test/standin/common/etcd.h"

struct resource {
	const char *plural, *kind, *singular, *short_name;
	const char *prefix; /* of its keys */
	bool namespaced;
};

extern const struct resource resources[];
extern const size_t n_resources;

const struct resource *resource_find(const char *plural);

/* Which object, or (name NULL) which list; namespace NULL: of all namespaces. */
struct object_ref {
	const struct resource *resource;
	const char *namespace;
	const char *name;
};

/* How it went, and with it the HTTP status. */
enum registry_result {
	REGISTRY_OK = 200,
	REGISTRY_NOT_FOUND = 404,
	REGISTRY_CONFLICT = 409, /* another resourceVersion than the object has */
	REGISTRY_EXISTS = -409,
	REGISTRY_FAILED = 500, /* etcd; `e` says why */
};

enum registry_result registry_list(const struct http_target *etcd,
				   const struct object_ref *o, json_t **ret,
				   struct err *e);
enum registry_result registry_get(const struct http_target *etcd,
				  const struct object_ref *o, json_t **ret,
				  struct err *e);

/* `object` gets uid, creationTimestamp and what else a new object has; *ret is new. */
enum registry_result registry_create(const struct http_target *etcd,
				     const struct object_ref *o, const json_t *object,
				     json_t **ret, struct err *e);

/* Replaces the object, or only its status. */
enum registry_result registry_update(const struct http_target *etcd,
				     const struct object_ref *o, const json_t *object,
				     bool only_status, json_t **ret, struct err *e);

/* *ret is what was there. */
enum registry_result registry_delete(const struct http_target *etcd,
				     const struct object_ref *o, json_t **ret,
				     struct err *e);
