/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call is one request. etcd answers errors as {"errorCode":100,"message":...}; the
 * codes that mean "the condition does not hold" are 100 (key not found), 101 (compare
 * failed) and 105 (key already exists).
 */
#include "test/standin/common/etcd.h"

#include "lib/str.h"

static char *key_path(const char *key, const char *query)
{
	struct buf b = {0};

	buf_puts(&b, "/v2/keys");
	for (const char *p = key; *p;) { /* escapes each part, keeps the slashes */
		_cleanup_free_ char *part = xstrndup(p, strcspn(p, "/"));

		http_escape(&b, part);
		p += strlen(part);
		if (*p == '/') {
			buf_puts(&b, "/");
			p++;
		}
	}
	buf_puts(&b, query);
	return buf_take(&b);
}

static int call(const struct http_target *t, const char *method, const char *key,
		const char *query, const struct buf *form, json_t **ret, int *code,
		struct err *e)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *path = key_path(key, query);
	const struct http_request r = {
		.method = method,
		.path = path,
		.type = form ? "application/x-www-form-urlencoded" : NULL,
		.body = form ? form->p : NULL,
		.len = form ? form->len : 0,
	};
	json_error_t je;

	if (http_call(t, &r, &a, e) < 0)
		return -1;
	*ret = json_loadb(a.body, a.len, 0, &je);
	if (!*ret)
		return err_set(e, ERR_FAILED, "etcd: %s %s: status %d, not JSON: %s",
			       method, key, a.status, je.text);
	*code = (int)json_integer_value(json_object_get(*ret, "errorCode"));
	if (a.status < 400 || *code == 100 || *code == 101 || *code == 105)
		return 0;
	return err_set(e, ERR_FAILED, "etcd: %s %s: %d: %s (%s)", method, key, *code,
		       json_string_value(json_object_get(*ret, "message")),
		       json_string_value(json_object_get(*ret, "cause")));
}

static int get_node(json_t *answer, json_t **ret, struct err *e)
{
	json_t *node = json_object_get(answer, "node");

	if (!json_is_object(node))
		return err_set(e, ERR_FAILED, "etcd: an answer without a node");
	if (ret)
		*ret = json_incref(node);
	return 1;
}

int etcd_get(const struct http_target *t, const char *key, json_t **ret, struct err *e)
{
	_cleanup_json_t_ json_t *answer = NULL;
	int code = 0;

	if (call(t, "GET", key, "?recursive=true&sorted=true&quorum=false", NULL, &answer,
		 &code, e) < 0)
		return -1;
	return code ? 0 : get_node(answer, ret, e);
}

int etcd_put(const struct http_target *t, const char *key, const char *value,
	     enum etcd_condition condition, uint64_t index, json_t **ret, struct err *e)
{
	_cleanup_json_t_ json_t *answer = NULL;
	_cleanup_buf_ struct buf form = {0};
	int code = 0;

	buf_puts(&form, "value=");
	http_escape(&form, value);
	if (condition == ETCD_CREATE)
		buf_puts(&form, "&prevExist=false");
	if (condition == ETCD_INDEX)
		buf_printf(&form, "&prevIndex=%llu", (unsigned long long)index);
	if (call(t, "PUT", key, "", &form, &answer, &code, e) < 0)
		return -1;
	return code ? 0 : get_node(answer, ret, e);
}

int etcd_delete(const struct http_target *t, const char *key, struct err *e)
{
	_cleanup_json_t_ json_t *answer = NULL;
	int code = 0;

	if (call(t, "DELETE", key, "?recursive=true", NULL, &answer, &code, e) < 0)
		return -1;
	return code ? 0 : 1;
}

const char *etcd_node_value(const json_t *node)
{
	return json_string_value(json_object_get(node, "value"));
}

uint64_t etcd_node_index(const json_t *node)
{
	return (uint64_t)json_integer_value(json_object_get(node, "modifiedIndex"));
}
