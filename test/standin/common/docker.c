/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/docker.h"

#include "lib/str.h"

int docker_target_parse(const char *s, struct http_target *ret, struct err *e)
{
	const char *path = str_after(s, "unix://");

	if (!path || !*path)
		return err_set(e, ERR_FAILED, "%s: the stand-ins reach Docker by unix://",
			       s);
	/* docker-py reads unix://var/run/docker.sock as /var/run/docker.sock. */
	*ret = (struct http_target){.path = path[0] == '/' ? path : path - 1};
	return 0;
}

int docker_call(const struct http_target *t, const char *method, const char *path,
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
		.timeout_ms = 60000,
	};

	if (http_call(t, &r, &a, e) < 0)
		return -1;
	*ret = json_loadb(a.body, a.len, 0, NULL);
	if (!*ret)
		*ret = json_null();
	return a.status;
}

int docker_api_version(const struct http_target *t, char **version, struct err *e)
{
	_cleanup_json_t_ json_t *answer = NULL;
	const char *api;
	int major, minor, status = docker_call(t, "GET", "/version", NULL, &answer, e);

	if (status < 0)
		return -1;
	api = json_string_value(json_object_get(answer, "ApiVersion"));
	if (status != 200 || !api || sscanf(api, "%d.%d", &major, &minor) != 2)
		return err_set(e, ERR_FAILED, "docker: /version: status %d", status);
	if (version)
		*version = xstrdup(json_string_value(json_object_get(answer, "Version")));
	return major * 1000 + minor;
}

const char *docker_message(const json_t *answer)
{
	const char *s = json_string_value(json_object_get(answer, "message"));

	return s ? s : "";
}
