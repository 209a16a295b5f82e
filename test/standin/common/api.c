/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/api.h"

#include "lib/str.h"
#include "test/standin/common/standin.h"

int api_call(const struct http_target *t, const char *method, const char *path,
	     const json_t *body, json_t **ret, struct err *e)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct http_request r = {
		.method = method,
		.path = path,
		.type = text ? "application/json" : NULL,
		.body = text,
		.len = text ? strlen(text) : 0,
	};
	json_error_t je;

	if (http_call(t, &r, &a, e) < 0)
		return -1;
	*ret = json_loadb(a.body, a.len, 0, &je);
	if (!*ret)
		return err_set(e, ERR_FAILED, "%s %s: status %d, not JSON: %s", method,
			       path, a.status, je.text);
	return a.status;
}

const char *api_message(const json_t *answer)
{
	const char *s = json_string_value(json_object_get(answer, "message"));

	return s ? s : "";
}

json_t *api_node_ready(const json_t *node)
{
	json_t *conditions =
		json_object_get(json_object_get(node, "status"), "conditions");
	json_t *c;
	size_t i;

	json_array_foreach(conditions, i, c)
	{
		const char *type = json_string_value(json_object_get(c, "type"));

		if (type && streq(type, "Ready"))
			return c;
	}
	return NULL;
}

const char *api_node_name(const json_t *node)
{
	const char *s = json_string_value(
		json_object_get(json_object_get(node, "metadata"), "name"));

	return s ? s : "";
}

void api_master(const struct flags *flags, struct http_target *ret)
{
	const char *master = flags_str(flags, "master", NULL);
	struct err e;

	if (!master && !flags_str(flags, "kubeconfig", NULL))
		klog_warning(
			"Neither --kubeconfig nor --master was specified.  Using default "
			"API client.  This might not work.");
	if (http_target_parse(master ? master : "http://localhost:8080", 80, ret, &e) < 0)
		klog_fatal("Invalid API configuration: %s", e.msg);
}
