/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores the API server's objects in etcd, under the keys that Kubernetes 0.20 uses: JSON
 * as version v1 writes it, a node at /registry/minions/NAME, a service at
 * /registry/services/specs/NAMESPACE/NAME. An object's resourceVersion is its key's
 * modifiedIndex and is not stored.
 */
#pragma once

#include "test/standin/common/etcd.h"

struct resource {
	const char *plural, *kind, *singular, *short_name;
	const char *prefix; /* prefix of its keys in etcd */
	bool namespaced;
};

extern const struct resource resources[];
extern const size_t n_resources;

const struct resource *resource_find(const char *plural);

/* Names one object, or with `name` NULL a list; with `namespace` NULL the list has the
 * objects of all namespaces. */
struct object_ref {
	const struct resource *resource;
	const char *namespace;
	const char *name;
};

/* The outcome of a call; the absolute value is the HTTP status. */
enum registry_result {
	REGISTRY_OK = 200,
	REGISTRY_NOT_FOUND = 404,
	REGISTRY_CONFLICT = 409, /* the object has another resourceVersion */
	REGISTRY_EXISTS = -409,
	REGISTRY_FAILED = 500, /* etcd failed; `e` has its error */
};

enum registry_result registry_list(const struct http_target *etcd,
				   const struct object_ref *o, json_t **ret,
				   struct err *e);
enum registry_result registry_get(const struct http_target *etcd,
				  const struct object_ref *o, json_t **ret,
				  struct err *e);

/* Stores a new object: `object` with uid, creationTimestamp and the other metadata of a
 * new object. *ret is the stored object. */
enum registry_result registry_create(const struct http_target *etcd,
				     const struct object_ref *o, const json_t *object,
				     json_t **ret, struct err *e);

/* Replaces the object, or only its status. */
enum registry_result registry_update(const struct http_target *etcd,
				     const struct object_ref *o, const json_t *object,
				     bool only_status, json_t **ret, struct err *e);

/* Deletes the object. *ret is the deleted object. */
enum registry_result registry_delete(const struct http_target *etcd,
				     const struct object_ref *o, json_t **ret,
				     struct err *e);
