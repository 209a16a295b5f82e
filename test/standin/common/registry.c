/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call is one or two requests to etcd. etcd's own conditions (prevExist, prevIndex)
 * decide between concurrent writers.
 */
#include "test/standin/common/registry.h"

#include "lib/file.h"
#include "lib/str.h"
#include "test/standin/common/standin.h"

const struct resource resources[] = {
	{"nodes", "Node", "node", "no", "/registry/minions", false},
	{"namespaces", "Namespace", "namespace", "ns", "/registry/namespaces", false},
	{"services", "Service", "service", "svc", "/registry/services/specs", true},
	{"endpoints", "Endpoints", "endpoints", "ep", "/registry/services/endpoints",
	 true},
	{"pods", "Pod", "pod", "po", "/registry/pods", true},
	{"replicationcontrollers", "ReplicationController", "replicationController", "rc",
	 "/registry/controllers", true},
	{"events", "Event", "event", "ev", "/registry/events", true},
};
const size_t n_resources = ARRAY_SIZE(resources);

const struct resource *resource_find(const char *plural)
{
	for (size_t i = 0; i < n_resources; i++)
		if (streq(resources[i].plural, plural))
			return &resources[i];
	return NULL;
}

static char *object_key(const struct object_ref *o)
{
	struct buf b = {0};

	buf_puts(&b, o->resource->prefix);
	if (o->resource->namespaced && o->namespace)
		buf_printf(&b, "/%s", o->namespace);
	if (o->name)
		buf_printf(&b, "/%s", o->name);
	return buf_take(&b);
}

static json_t *metadata_of(json_t *object)
{
	json_t *m = json_object_get(object, "metadata");

	if (!json_is_object(m)) {
		m = json_object();
		json_object_set_new(object, "metadata", m);
	}
	return m;
}

static void set_str(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_string(value));
}

/* Returns a stored object in the form that clients receive, or NULL when it is not an
 * object. */
static json_t *decode_object(const struct resource *r, const json_t *node)
{
	const char *value = etcd_node_value(node);
	json_t *object = value ? json_loads(value, 0, NULL) : NULL;
	char version[24];
	json_t *m;

	if (!json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	snprintf(version, sizeof(version), "%llu",
		 (unsigned long long)etcd_node_index(node));
	m = metadata_of(object);
	set_str(m, "resourceVersion", version);
	set_str(object, "kind", r->kind);
	set_str(object, "apiVersion", "v1");
	return object;
}

static char *encode_object(const json_t *object)
{
	_cleanup_json_t_ json_t *copy = json_deep_copy(object);

	json_object_del(metadata_of(copy), "resourceVersion");
	return json_dumps(copy, JSON_COMPACT);
}

static void collect(const struct resource *r, const json_t *node, json_t *items)
{
	const json_t *below = json_object_get(node, "nodes"), *child;
	json_t *object = decode_object(r, node);
	size_t i;

	if (object)
		json_array_append_new(items, object);
	json_array_foreach(below, i, child) collect(r, child, items);
}

enum registry_result registry_list(const struct http_target *etcd,
				   const struct object_ref *o, json_t **ret,
				   struct err *e)
{
	_cleanup_free_ char *key = object_key(o);
	_cleanup_json_t_ json_t *node = NULL;
	json_t *items, *item;
	char kind[64], version[24];
	uint64_t newest = 1;
	size_t i;

	if (etcd_get(etcd, key, &node, e) < 0)
		return REGISTRY_FAILED;
	items = json_array();
	if (node)
		collect(o->resource, node, items);
	json_array_foreach(items, i, item)
	{
		const char *v = json_string_value(
			json_object_get(metadata_of(item), "resourceVersion"));
		uint64_t n = strtoull(v, NULL, 10);

		newest = n > newest ? n : newest;
	}
	snprintf(kind, sizeof(kind), "%sList", o->resource->kind);
	snprintf(version, sizeof(version), "%llu", (unsigned long long)newest);
	*ret = json_pack("{s:s, s:s, s:{s:s}, s:o}", "kind", kind, "apiVersion", "v1",
			 "metadata", "resourceVersion", version, "items", items);
	return REGISTRY_OK;
}

enum registry_result registry_get(const struct http_target *etcd,
				  const struct object_ref *o, json_t **ret, struct err *e)
{
	_cleanup_free_ char *key = object_key(o);
	_cleanup_json_t_ json_t *node = NULL;

	if (etcd_get(etcd, key, &node, e) < 0)
		return REGISTRY_FAILED;
	*ret = node ? decode_object(o->resource, node) : NULL;
	return *ret ? REGISTRY_OK : REGISTRY_NOT_FOUND;
}

static void set_new_metadata(const struct object_ref *o, json_t *object)
{
	_cleanup_free_ char *uid = NULL, *self = NULL;
	json_t *m = metadata_of(object);
	char now[TIME_LEN];

	if (file_read_at(AT_FDCWD, "/proc/sys/kernel/random/uuid", 64, &uid, NULL) == 0)
		uid[strcspn(uid, "\n")] = '\0';
	if (o->resource->namespaced) {
		set_str(m, "namespace", o->namespace);
		self = xasprintf("/api/v1/namespaces/%s/%s/%s", o->namespace,
				 o->resource->plural, o->name);
	} else {
		self = xasprintf("/api/v1/%s/%s", o->resource->plural, o->name);
	}
	set_str(m, "name", o->name);
	set_str(m, "selfLink", self);
	set_str(m, "uid", uid ? uid : "");
	set_str(m, "creationTimestamp", now_rfc3339(now));
	set_str(object, "kind", o->resource->kind);
	set_str(object, "apiVersion", "v1");
}

enum registry_result registry_create(const struct http_target *etcd,
				     const struct object_ref *o, const json_t *object,
				     json_t **ret, struct err *e)
{
	_cleanup_json_t_ json_t *copy = json_deep_copy(object), *node = NULL;
	_cleanup_free_ char *key = object_key(o), *text = NULL;
	int r;

	set_new_metadata(o, copy);
	text = encode_object(copy);
	r = etcd_put(etcd, key, text, ETCD_CREATE, 0, &node, e);
	if (r < 0)
		return REGISTRY_FAILED;
	if (r == 0)
		return REGISTRY_EXISTS;
	*ret = decode_object(o->resource, node);
	return REGISTRY_OK;
}

/* Returns the updated object: constant fields come from the old one. */
static json_t *merge(const json_t *old, const json_t *object, bool only_status)
{
	static const char *const fixed[] = {"uid", "creationTimestamp", "selfLink",
					    "name", "namespace"};
	json_t *merged = json_deep_copy(only_status ? old : object);
	json_t *old_meta = json_object_get(old, "metadata");

	if (only_status) {
		json_t *status = json_object_get(object, "status");

		if (status)
			json_object_set(merged, "status", status);
		return merged;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		json_t *v = json_object_get(old_meta, fixed[i]);

		if (v)
			json_object_set(metadata_of(merged), fixed[i], v);
	}
	json_object_set(merged, "kind", json_object_get(old, "kind"));
	json_object_set(merged, "apiVersion", json_object_get(old, "apiVersion"));
	return merged;
}

enum registry_result registry_update(const struct http_target *etcd,
				     const struct object_ref *o, const json_t *object,
				     bool only_status, json_t **ret, struct err *e)
{
	_cleanup_json_t_ json_t *old = NULL, *merged = NULL, *node = NULL;
	_cleanup_free_ char *key = object_key(o), *text = NULL;
	const char *have, *want;
	enum registry_result found = registry_get(etcd, o, &old, e);
	int r;

	if (found != REGISTRY_OK)
		return found;
	have = json_string_value(
		json_object_get(json_object_get(old, "metadata"), "resourceVersion"));
	want = json_string_value(
		json_object_get(json_object_get(object, "metadata"), "resourceVersion"));
	if (want && *want && !streq(want, "0") && !streq(want, have))
		return REGISTRY_CONFLICT;
	merged = merge(old, object, only_status);
	text = encode_object(merged);
	r = etcd_put(etcd, key, text, ETCD_INDEX, strtoull(have, NULL, 10), &node, e);
	if (r < 0)
		return REGISTRY_FAILED;
	if (r == 0)
		return REGISTRY_CONFLICT;
	*ret = decode_object(o->resource, node);
	return REGISTRY_OK;
}

enum registry_result registry_delete(const struct http_target *etcd,
				     const struct object_ref *o, json_t **ret,
				     struct err *e)
{
	_cleanup_free_ char *key = object_key(o);
	enum registry_result found = registry_get(etcd, o, ret, e);

	if (found != REGISTRY_OK)
		return found;
	switch (etcd_delete(etcd, key, e)) {
	case 1:
		return REGISTRY_OK;
	case 0:
		return REGISTRY_NOT_FOUND;
	default:
		return REGISTRY_FAILED;
	}
}
