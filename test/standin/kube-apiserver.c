/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for kube-apiserver 0.20.2: flags, ports, keys in etcd and failures of the
 * original, and the part of its API that the other stand-ins and `kubectl get` use. All
 * objects go through the same few calls (common/registry.c), so every kind in that table
 * can be listed, read, written and watched.
 *
 * Not implemented: the secure port 6443 (the original serves it with a certificate it
 * signs itself; nothing in the guide uses it), PATCH, validation beyond the name, field
 * and label selectors, admission. A watch first sends the objects that are newer than its
 * resourceVersion, then the changes while it is open, and ends after 30 s at most; it
 * does not send deletions from before it was opened.
 */
#include "lib/net.h"
#include "test/standin/common/api.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/registry.h"
#include "test/standin/common/server.h"
#include "test/standin/common/standin.h"
#include "test/standin/common/table.h"

#define WATCH_MS  30000u
#define ETCD_WAIT 15000u

static const struct standin standin = {.name = "kube-apiserver",
				       .version = "v0.20.2",
				       .list = list_kube_apiserver,
				       .style = FLAGS_PFLAG,
				       .exit_usage = 2};

struct api {
	struct http_server server;
	struct http_target etcd;
};

/* --- answers ----------------------------------------------------------------------- */

static void answer_json(struct http_out *out, const json_t *json)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_INDENT(2));

	buf_puts(&out->body, text ? text : "{}");
	buf_puts(&out->body, "\n");
}

static void answer_status(struct http_out *out, int code, const char *reason,
			  const char *message)
{
	_cleanup_json_t_ json_t *status =
		json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status",
			  "apiVersion", "v1", "metadata", "status", "Failure", "message",
			  message, "reason", reason, "code", code);

	out->status = code;
	answer_json(out, status);
}

static void answer_result(struct http_out *out, const struct object_ref *o,
			  enum registry_result r, const struct err *e)
{
	_cleanup_free_ char *message = NULL;
	const char *name = o->name ? o->name : "";

	switch (r) {
	case REGISTRY_NOT_FOUND:
		message = xasprintf("%s \"%s\" not found", o->resource->singular, name);
		answer_status(out, 404, "NotFound", message);
		break;
	case REGISTRY_EXISTS:
		message = xasprintf("%s \"%s\" already exists", o->resource->singular,
				    name);
		answer_status(out, 409, "AlreadyExists", message);
		break;
	case REGISTRY_CONFLICT:
		message = xasprintf("%s \"%s\" cannot be updated: the object has been "
				    "modified; please apply your changes to the latest "
				    "version and try again",
				    o->resource->singular, name);
		answer_status(out, 409, "Conflict", message);
		break;
	default:
		klog_error("%s", e->msg);
		answer_status(out, 500, "InternalError", e->msg);
	}
}

/* --- watches ----------------------------------------------------------------------- */

static unsigned stream_id(const struct resource *r)
{
	return (unsigned)(r - resources) + 1;
}

static char *event_line(const char *type, const json_t *object)
{
	_cleanup_json_t_ json_t *event =
		json_pack("{s:s, s:O}", "type", type, "object", object);
	_cleanup_free_ char *text = json_dumps(event, JSON_COMPACT);

	return xasprintf("%s\n", text);
}

static void notify_watches(struct api *api, const struct resource *r, const char *type,
			   const json_t *object)
{
	_cleanup_free_ char *line = event_line(type, object);

	http_server_stream(&api->server, stream_id(r), line, strlen(line));
}

static uint64_t version_of(const json_t *object)
{
	const char *v = json_string_value(
		json_object_get(json_object_get(object, "metadata"), "resourceVersion"));

	return v ? strtoull(v, NULL, 10) : 0;
}

static void open_watch(struct api *api, const struct object_ref *o,
		       const struct http_in *in, struct http_out *out)
{
	_cleanup_free_ char *since = http_query(in->query, "resourceVersion");
	_cleanup_free_ char *timeout = http_query(in->query, "timeoutSeconds");
	_cleanup_json_t_ json_t *list = NULL;
	uint64_t from = since ? strtoull(since, NULL, 10) : 0, seconds;
	struct err e = {0};
	enum registry_result r = registry_list(&api->etcd, o, &list, &e);
	json_t *items, *item;
	size_t i;

	if (r != REGISTRY_OK) {
		answer_result(out, o, r, &e);
		return;
	}
	items = json_object_get(list, "items");
	json_array_foreach(items, i, item)
	{
		_cleanup_free_ char *line = NULL;

		if (version_of(item) <= from)
			continue;
		line = event_line(from ? "MODIFIED" : "ADDED", item);
		buf_puts(&out->body, line);
	}
	out->stream_ms = WATCH_MS;
	if (timeout && str_to_u64(timeout, WATCH_MS / 1000, &seconds) == 0)
		out->stream_ms = seconds * 1000 + 1;
	out->stream_id = stream_id(o->resource);
}

/* --- objects ----------------------------------------------------------------------- */

static void answer_object(const struct object_ref *o, const struct http_in *in,
			  struct http_out *out, const json_t *object)
{
	_cleanup_json_t_ json_t *table =
		table_wanted(in->accept) ? table_make(o->resource, object) : NULL;

	answer_json(out, table ? table : object);
}

static void do_get(struct api *api, const struct object_ref *o, const struct http_in *in,
		   struct http_out *out)
{
	_cleanup_json_t_ json_t *object = NULL;
	struct err e = {0};
	enum registry_result r = o->name ? registry_get(&api->etcd, o, &object, &e)
					 : registry_list(&api->etcd, o, &object, &e);

	if (r == REGISTRY_OK)
		answer_object(o, in, out, object);
	else
		answer_result(out, o, r, &e);
}

static void do_post(struct api *api, const struct object_ref *where, const json_t *body,
		    struct http_out *out)
{
	struct object_ref o = *where;
	_cleanup_json_t_ json_t *object = NULL;
	struct err e = {0};
	enum registry_result r;

	o.name = api_node_name(body);
	if (!*o.name || strchr(o.name, '/')) {
		answer_status(out, 422, "Invalid",
			      "metadata.name: required value, without a '/'");
		return;
	}
	if (o.resource->namespaced && !o.namespace)
		o.namespace = "default";
	r = registry_create(&api->etcd, &o, body, &object, &e);
	if (r != REGISTRY_OK) {
		answer_result(out, &o, r, &e);
		return;
	}
	notify_watches(api, o.resource, "ADDED", object);
	out->status = 201;
	answer_json(out, object);
}

static void do_put(struct api *api, const struct object_ref *o, const json_t *body,
		   bool only_status, struct http_out *out)
{
	_cleanup_json_t_ json_t *object = NULL;
	struct err e = {0};
	enum registry_result r =
		registry_update(&api->etcd, o, body, only_status, &object, &e);

	if (r != REGISTRY_OK) {
		answer_result(out, o, r, &e);
		return;
	}
	notify_watches(api, o->resource, "MODIFIED", object);
	answer_json(out, object);
}

static void do_delete(struct api *api, const struct object_ref *o, struct http_out *out)
{
	_cleanup_json_t_ json_t *object = NULL, *ok = NULL;
	struct err e = {0};
	enum registry_result r = registry_delete(&api->etcd, o, &object, &e);

	if (r != REGISTRY_OK) {
		answer_result(out, o, r, &e);
		return;
	}
	notify_watches(api, o->resource, "DELETED", object);
	ok = json_pack("{s:s, s:s, s:{}, s:s}", "kind", "Status", "apiVersion", "v1",
		       "metadata", "status", "Success");
	answer_json(out, ok);
}

static void serve_object(struct api *api, const struct object_ref *o, bool only_status,
			 const struct http_in *in, struct http_out *out)
{
	_cleanup_json_t_ json_t *body = NULL;
	json_error_t je;

	if (streq(in->method, "GET")) {
		do_get(api, o, in, out);
		return;
	}
	if (streq(in->method, "DELETE") && o->name) {
		do_delete(api, o, out);
		return;
	}
	if (streq(in->method, "POST") != !o->name ||
	    (!streq(in->method, "POST") && !streq(in->method, "PUT"))) {
		answer_status(out, 405, "MethodNotAllowed",
			      "the method does not fit the path");
		return;
	}
	body = json_loadb(in->body, in->len, 0, &je);
	if (!json_is_object(body))
		answer_status(out, 400, "BadRequest", body ? "not an object" : je.text);
	else if (o->name)
		do_put(api, o, body, only_status, out);
	else
		do_post(api, o, body, out);
}

/* --- paths ------------------------------------------------------------------------- */

/* Serves /api/v1[/watch][/namespaces/NS]/RESOURCE[/NAME[/status]]. */
static void serve_v1(struct api *api, char **parts, const struct http_in *in,
		     struct http_out *out)
{
	_cleanup_free_ char *watch = http_query(in->query, "watch");
	struct object_ref o = {0};
	bool status = false;

	if (*parts && streq(*parts, "watch")) {
		free(watch);
		watch = xstrdup("true");
		parts++;
	}
	if (strv_len(parts) >= 3 && streq(parts[0], "namespaces") &&
	    resource_find(parts[2])) {
		o.namespace = parts[1];
		parts += 2;
	}
	o.resource = *parts ? resource_find(*parts++) : NULL;
	if (o.resource && *parts)
		o.name = *parts++;
	if (o.name && *parts && streq(*parts, "status")) {
		status = true;
		parts++;
	}
	if (!o.resource || *parts || (o.name && o.resource->namespaced && !o.namespace)) {
		answer_status(out, 404, "NotFound",
			      "the server could not find the requested "
			      "resource");
		return;
	}
	if (watch && !streq(watch, "0") && !streq(watch, "false") && !o.name)
		open_watch(api, &o, in, out);
	else
		serve_object(api, &o, status, in, out);
}

static void answer_resources(struct http_out *out)
{
	json_t *list = json_array();
	_cleanup_json_t_ json_t *answer =
		json_pack("{s:s, s:s, s:o}", "kind", "APIResourceList", "groupVersion",
			  "v1", "resources", list);

	for (size_t i = 0; i < n_resources; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:[s], s:b, s:s, s:[s,s,s,s,s,s]}",
					"name", resources[i].plural, "singularName", "",
					"shortNames", resources[i].short_name,
					"namespaced", resources[i].namespaced, "kind",
					resources[i].kind, "verbs", "create", "delete",
					"get", "list", "update", "watch"));
	answer_json(out, answer);
}

static void answer_version(struct http_out *out)
{
	char banner[128];
	_cleanup_json_t_ json_t *v = NULL;

	standin_banner(&standin, banner, sizeof(banner));
	v = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "major", "0", "minor", "20",
		      "gitVersion", "v0.20.2", "gitCommit", "rackstrap-stand-in",
		      "gitTreeState", "clean", "standin", banner);
	answer_json(out, v);
}

static void answer_text(struct http_out *out, const char *type, const char *text)
{
	out->type = type;
	buf_puts(&out->body, text);
}

static void handle(void *data, const struct http_in *in, struct http_out *out)
{
	_cleanup_strv_ char **parts = strv_split(in->path, "/");
	size_t n = strv_len(parts);

	if (streq(in->path, "/healthz") || streq(in->path, "/healthz/ping"))
		answer_text(out, "text/plain; charset=utf-8", "ok");
	else if (streq(in->path, "/version"))
		answer_version(out);
	else if (n == 0)
		answer_text(out, NULL,
			    "{\"paths\": [\"/api\", \"/api/v1\", \"/healthz\", "
			    "\"/version\"]}\n");
	else if (n == 1 && streq(parts[0], "api"))
		answer_text(out, NULL,
			    "{\"kind\": \"APIVersions\", \"versions\": [\"v1\"]}\n");
	else if (n == 1 && streq(parts[0], "apis"))
		answer_text(out, NULL,
			    "{\"kind\": \"APIGroupList\", \"apiVersion\": \"v1\", "
			    "\"groups\": []}\n");
	else if (n == 2 && streq(parts[0], "api") && streq(parts[1], "v1"))
		answer_resources(out);
	else if (n > 2 && streq(parts[0], "api") && streq(parts[1], "v1"))
		serve_v1(data, parts + 2, in, out);
	else
		answer_status(out, 404, "NotFound",
			      "the server could not find the requested "
			      "resource");
}

/* --- start ------------------------------------------------------------------------- */

static void wait_for_etcd(const struct http_target *etcd)
{
	uint64_t give_up = clock_ms() + ETCD_WAIT;

	for (;;) {
		_cleanup_json_t_ json_t *node = NULL;
		struct err e;

		if (etcd_get(etcd, "/registry", &node, &e) >= 0)
			return;
		if (clock_ms() >= give_up)
			klog_fatal("Invalid storage version or misconfigured etcd: %s",
				   e.msg);
		klog_error("etcd does not answer, will retry: %s", e.msg);
		pause_ms(1000);
	}
}

/* Creates the namespace and the service that the original creates for itself. */
static int make_defaults(const struct api *api, const struct cidr *services,
			 const char *ip, struct err *e)
{
	char service_ip[NET_ADDR_LEN];
	const struct object_ref refs[] = {
		{resource_find("namespaces"), NULL, "default"},
		{resource_find("services"), "default", "kubernetes"},
		{resource_find("endpoints"), "default", "kubernetes"},
	};
	_cleanup_json_t_ json_t *ns =
		json_pack("{s:{s:[s]}, s:{s:s}}", "spec", "finalizers", "kubernetes",
			  "status", "phase", "Active");
	_cleanup_json_t_ json_t *service = json_pack(
		"{s:{s:s, s:s, s:[{s:s, s:i, s:i}]}}", "spec", "clusterIP",
		net_format_addr(net_network(*services) + 1, service_ip), "type",
		"ClusterIP", "ports", "protocol", "TCP", "port", 443, "targetPort", 443);
	_cleanup_json_t_ json_t *endpoints =
		json_pack("{s:[{s:[{s:s}], s:[{s:i, s:s}]}]}", "subsets", "addresses",
			  "ip", ip, "ports", "port", 6443, "protocol", "TCP");
	const json_t *objects[] = {ns, service, endpoints};

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		_cleanup_json_t_ json_t *made = NULL;

		if (registry_create(&api->etcd, &refs[i], objects[i], &made, e) ==
		    REGISTRY_FAILED)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct api api;
	struct flags flags;
	const char *servers, *range;
	_cleanup_strv_ char **urls = NULL;
	struct cidr services;
	struct err e;
	uint32_t addr;
	uint16_t port;
	int r;

	standin_start(&standin, argc, argv, &flags);
	servers = flags_str(&flags, "etcd-servers", NULL);
	if (!servers == !flags_str(&flags, "etcd-config", NULL))
		klog_fatal("specify either --etcd-servers or --etcd-config");
	range = flags_str(&flags, "service-cluster-ip-range", NULL);
	if (!range || net_parse_cidr(range, &services) < 0)
		klog_fatal("No --service-cluster-ip-range specified");
	urls = strv_split(servers ? servers : "", ",");
	if (!urls || http_target_parse(urls[0], 4001, &api.etcd, &e) < 0)
		klog_fatal("Invalid storage version or misconfigured etcd: %s",
			   urls ? e.msg : "no server");
	wait_for_etcd(&api.etcd);

	if (make_defaults(&api, &services,
			  flags_str(&flags, "public-address-override", "127.0.0.1"),
			  &e) < 0)
		klog_fatal("%s", e.msg);
	if (net_parse_addr(flags_str(&flags, "insecure-bind-address",
				     flags_str(&flags, "address", "127.0.0.1")),
			   &addr) < 0)
		klog_fatal("--address: the stand-in listens on IPv4 only");
	port = (uint16_t)flags_u64(&flags, "insecure-port",
				   flags_u64(&flags, "port", 8080));
	http_server_init(&api.server);
	r = http_server_listen(&api.server, addr, port, handle, &api);
	if (r < 0)
		klog_fatal("listen tcp :%u: %s", port, strerror(-r));
	klog_info("Serving insecurely on port %u", port);
	for (;;)
		http_server_run(&api.server, clock_ms() + 60000);
}
