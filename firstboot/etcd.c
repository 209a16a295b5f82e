/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd.h"
#include "http.h"
#include "lib/net.h"
#include "lib/str.h"

#include <jansson.h>

#define TRIES 16 /* lost races in a row, before it is left to the caller's next try */

#define HTTP_OK      200
#define HTTP_CREATED 201
#define HTTP_ABSENT  404
#define HTTP_FAILED  412 /* Precondition Failed: it is not as we read it any more */

static void json_done_p(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_t_ _cleanup_(json_done_p)

static char *dump(const json_t *j)
{
	char *text = json_dumps(j, JSON_ENCODE_ANY);

	if (!text)
		abort(); /* out of memory, as in lib/str.h */
	return text;
}

/* --- what a value says -------------------------------------------------------------- */

/* 64512 and "64512" are the same to Calico. */
static bool same(const json_t *a, const json_t *b)
{
	const json_t *number = json_is_integer(a) ? a : b,
		     *text = json_is_integer(a) ? b : a;
	char digits[32];

	if (!json_is_integer(number) || !json_is_string(text))
		return json_equal(a, b);
	snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(number));
	return streq(json_string_value(text), digits);
}

bool etcd_says(const char *value, const char *want, char **ret)
{
	_cleanup_json_t_ json_t *w = json_loads(want, 0, NULL);
	_cleanup_json_t_ json_t *v = value ? json_loads(value, 0, NULL) : NULL;
	const char *name;
	bool says = true;
	json_t *member;

	if (!json_is_object(w) || !json_is_object(v)) {
		says = value && !json_is_object(w) && streq(value, want);
		if (ret && !says)
			*ret = xstrdup(want);
		return says;
	}
	json_object_foreach(w, name, member)
	{
		const json_t *now = json_object_get(v, name);

		if (now && same(now, member))
			continue;
		says = false;
		if (json_object_set(v, name, member) < 0)
			abort();
	}
	if (ret && !says)
		*ret = dump(v);
	return says;
}

/* --- requests ----------------------------------------------------------------------- */

/* 1: *value and *index are set, 0: there is no such key, -1. */
static int get(const char *url, char **value, json_int_t *index, struct err *e)
{
	_cleanup_free_ char *body = NULL;
	_cleanup_json_t_ json_t *answer = NULL;
	const json_t *node, *text, *modified;
	unsigned status;

	if (http_get(url, &status, &body, e) < 0)
		return -1;
	if (status == HTTP_ABSENT)
		return 0;
	answer = json_loads(body, 0, NULL);
	node = json_object_get(answer, "node");
	text = json_object_get(node, "value");
	modified = json_object_get(node, "modifiedIndex");
	if (status != HTTP_OK || !json_is_string(text) || !json_is_integer(modified))
		return err_set(e, ERR_FAILED,
			       "etcd answered %u to GET %s, without a value", status,
			       url);
	*value = xstrdup(json_string_value(text));
	*index = json_integer_value(modified);
	return 1;
}

/* `condition`: a query. 1: written, 0: the condition did not hold, -1. */
static int put(const char *url, const char *condition, const char *value, struct err *e)
{
	_cleanup_free_ char *to = xasprintf("%s?%s", url, condition);
	_cleanup_free_ char *field = xasprintf("value=%s", value);
	unsigned status;

	if (http_put_form(to, field, &status, e) < 0)
		return -1;
	if (status == HTTP_OK || status == HTTP_CREATED)
		return 1;
	if (status == HTTP_FAILED || status == HTTP_ABSENT)
		return 0;
	return err_set(e, ERR_FAILED, "etcd answered %u to PUT %s", status, to);
}

/* 1: written, or somebody else has just done something: look again. 0: it says so. */
static int step(const char *url, const char *want, bool *wrote, struct err *e)
{
	_cleanup_free_ char *value = NULL, *better = NULL, *condition = NULL;
	json_int_t index = 0;
	int r = get(url, &value, &index, e);

	if (r < 0)
		return -1;
	if (etcd_says(value, want, &better))
		return 0;
	condition = r ? xasprintf("prevIndex=%" JSON_INTEGER_FORMAT, index)
		      : xstrdup("prevExist=false");
	r = put(url, condition, better, e);
	if (r < 0)
		return -1;
	*wrote = *wrote || r > 0;
	return 1;
}

int etcd_ensure(const struct etcd *at, const char *key, const char *want, struct err *e)
{
	char addr[NET_ADDR_LEN];
	_cleanup_free_ char *url = xasprintf(
		"http://%s:%u/v2/keys%s", net_format_addr(at->addr, addr), at->port, key);
	bool wrote = false;

	for (unsigned i = 0; i < TRIES; i++) {
		int r = step(url, want, &wrote, e);

		if (r <= 0)
			return r < 0 ? -1 : wrote;
	}
	return err_set(e, ERR_FAILED, "%s does not stay '%s'", url, want);
}
