/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/table.h"

#include "lib/str.h"
#include "test/standin/common/api.h"

#include <time.h>

struct column {
	const char *name;
	char *(*cell)(const json_t *object); /* owned by the caller */
	bool wide;                           /* only with -o wide */
};

bool table_wanted(const char *accept)
{
	return strstr(accept, "as=Table") && strstr(accept, "v=v1;");
}

static char *str_at(const json_t *object, const char *a, const char *b, const char *c)
{
	const json_t *v = json_object_get(object, a);

	v = json_object_get(v, b);
	if (c)
		v = json_object_get(v, c);
	return xstrdup(json_is_string(v) ? json_string_value(v) : "<none>");
}

static char *cell_name(const json_t *object)
{
	return str_at(object, "metadata", "name", NULL);
}

static char *cell_age(const json_t *object)
{
	_cleanup_free_ char *created =
		str_at(object, "metadata", "creationTimestamp", NULL);
	struct tm tm = {0};
	long s;

	if (!strptime(created, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return xstrdup("<unknown>");
	s = (long)(time(NULL) - timegm(&tm));
	if (s < 0)
		s = 0;
	if (s < 120)
		return xasprintf("%lds", s);
	if (s < 7200)
		return xasprintf("%ldm", s / 60);
	return s < 172800 ? xasprintf("%ldh", s / 3600) : xasprintf("%ldd", s / 86400);
}

static char *cell_status(const json_t *node)
{
	const char *status =
		json_string_value(json_object_get(api_node_ready(node), "status"));

	if (!status)
		return xstrdup("Unknown");
	return xstrdup(streq(status, "True") ? "Ready" : "NotReady");
}

static char *cell_roles(const json_t *node)
{
	(void)node;
	return xstrdup("<none>");
}

static char *cell_version(const json_t *node)
{
	return str_at(node, "status", "nodeInfo", "kubeletVersion");
}

static char *cell_address(const json_t *node)
{
	const json_t *addresses =
		json_object_get(json_object_get(node, "status"), "addresses");
	const char *s = json_string_value(
		json_object_get(json_array_get(addresses, 0), "address"));

	return xstrdup(s ? s : "<none>");
}

static char *cell_os(const json_t *node)
{
	return str_at(node, "status", "nodeInfo", "osImage");
}

static char *cell_kernel(const json_t *node)
{
	return str_at(node, "status", "nodeInfo", "kernelVersion");
}

static char *cell_runtime(const json_t *node)
{
	return str_at(node, "status", "nodeInfo", "containerRuntimeVersion");
}

static const struct column node_columns[] = {
	{"Name", cell_name, false},
	{"Status", cell_status, false},
	{"Roles", cell_roles, false},
	{"Age", cell_age, false},
	{"Version", cell_version, false},
	{"Internal-IP", cell_address, true},
	{"OS-Image", cell_os, true},
	{"Kernel-Version", cell_kernel, true},
	{"Container-Runtime", cell_runtime, true},
};

static const struct column other_columns[] = {
	{"Name", cell_name, false},
	{"Age", cell_age, false},
};

static json_t *make_row(const struct column *columns, size_t n, const json_t *object)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = columns[i].cell(object);

		json_array_append_new(cells, json_string(text));
	}
	return json_pack("{s:o, s:{s:s, s:s, s:O}}", "cells", cells, "object", "kind",
			 "PartialObjectMetadata", "apiVersion", "meta.k8s.io/v1",
			 "metadata", json_object_get(object, "metadata"));
}

static json_t *make_columns(const struct column *columns, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:s, s:i}", "name",
						   columns[i].name, "type", "string",
						   "format", i == 0 ? "name" : "",
						   "description", "", "priority",
						   columns[i].wide ? 1 : 0));
	return a;
}

json_t *table_make(const struct resource *r, const json_t *list_or_object)
{
	bool nodes = streq(r->plural, "nodes");
	const struct column *columns = nodes ? node_columns : other_columns;
	size_t n = nodes ? ARRAY_SIZE(node_columns) : ARRAY_SIZE(other_columns);
	const json_t *items = json_object_get(list_or_object, "items"), *item;
	json_t *rows = json_array();
	size_t i;

	if (!items)
		json_array_append_new(rows, make_row(columns, n, list_or_object));
	json_array_foreach(items, i, item)
		json_array_append_new(rows, make_row(columns, n, item));
	return json_pack("{s:s, s:s, s:O, s:o, s:o}", "kind", "Table", "apiVersion",
			 "meta.k8s.io/v1", "metadata",
			 json_object_get(list_or_object, "metadata"), "columnDefinitions",
			 make_columns(columns, n), "rows", rows);
}
