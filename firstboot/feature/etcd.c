/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/feature/etcd.h"
#include "firstboot/http.h"
#include "firstboot/json-scan.h"

#define TRIES 16 /* lost races in a row before the caller must retry */

#define HTTP_OK       200
#define HTTP_CREATED  201
#define HTTP_ABSENT   404
#define KEY_NOT_FOUND 100 /* etcd 2.0, error/error.go, EcodeKeyNotFound */

#define HTTP_FAILED 412 /* Precondition Failed: the value is not the one that was read */

/* --- values ------------------------------------------------------------------------- */

/* Compares two values. 64512 and "64512" are equal, as they are for Calico. */
static bool same(struct json_piece a, struct json_piece b)
{
	bool a_text = *a.at == '"', b_text = *b.at == '"';
	struct json_piece text = a_text ? a : b, other = a_text ? b : a;
	uint64_t number;

	if (a_text != b_text && json_u64_of(other, &number) == 0)
		return text.len == other.len + 2 &&
		       strncmp(text.at + 1, other.at, other.len) == 0;
	return json_same(a, b);
}

static void add_member(struct buf *b, struct json_piece name, struct json_piece value)
{
	buf_puts(b, b->len ? ", " : "{");
	buf_add(b, name.at, name.len);
	buf_puts(b, ": ");
	buf_add(b, value.at, value.len);
}

/* Returns the object `have` with the members of `want`, which replace those of the same
 * name. Owned by the caller. */
static char *merged(struct json_piece have, struct json_piece want)
{
	_cleanup_buf_ struct buf b = {0};
	struct json_piece name, value;

	for (size_t pos = 0; json_next(have, &pos, &name, &value);) {
		_cleanup_free_ char *key = xstrndup(name.at + 1, name.len - 2);

		(void)!json_member(want, key, &value);
		add_member(&b, name, value);
	}
	for (size_t pos = 0; json_next(want, &pos, &name, &value);) {
		_cleanup_free_ char *key = xstrndup(name.at + 1, name.len - 2);
		struct json_piece there;

		if (!json_member(have, key, &there))
			add_member(&b, name, value);
	}
	buf_puts(&b, b.len ? "}" : "{}");
	return buf_take(&b);
}

bool etcd_contains(const char *value, const char *want, char **ret)
{
	struct json_piece have, wanted, name, member, now;
	bool object = json_scan(want, &wanted) && *wanted.at == '{', contains = true;

	if (!object || !value || !json_scan(value, &have) || *have.at != '{') {
		contains = !object && value && streq(value, want);
		if (ret && !contains)
			*ret = xstrdup(want);
		return contains;
	}
	for (size_t pos = 0; json_next(wanted, &pos, &name, &member);) {
		_cleanup_free_ char *key = xstrndup(name.at + 1, name.len - 2);

		contains = contains && json_member(have, key, &now) && same(now, member);
	}
	if (ret && !contains)
		*ret = merged(have, wanted);
	return contains;
}

/* --- requests ----------------------------------------------------------------------- */

/* Parses {"action":"get","node":{"key":...,"value":"...","modifiedIndex":7,...}}. */
static bool read_answer(const char *body, char **value, uint64_t *index)
{
	struct json_piece answer, node, text, modified;

	if (!json_scan(body, &answer) || !json_member(answer, "node", &node) ||
	    !json_member(node, "value", &text) ||
	    !json_member(node, "modifiedIndex", &modified) ||
	    json_u64_of(modified, index) < 0)
		return false;
	*value = json_text(text);
	return *value;
}

/* Returns true for etcd's {"errorCode":100,"message":"Key not found",...}, unlike the
 * body of another server's 404. */
static bool is_key_not_found(const char *body)
{
	struct json_piece answer, code;
	uint64_t number;

	return json_scan(body, &answer) && json_member(answer, "errorCode", &code) &&
	       json_u64_of(code, &number) == 0 && number == KEY_NOT_FOUND;
}

/* Reads a key. Returns 1 and sets *value and *index, 0 when there is no such key, or
 * -1. */
static int get(const char *url, char **value, uint64_t *index, struct err *e)
{
	_cleanup_free_ char *body = NULL;
	unsigned status;

	if (http_get(url, &status, &body, e) < 0)
		return -1;
	if (status == HTTP_ABSENT && is_key_not_found(body))
		return 0;
	if (status != HTTP_OK || !read_answer(body, value, index))
		return err_set(e, ERR_FAILED,
			       "etcd answered %u to GET %s, without a value", status,
			       url);
	return 1;
}

/* Writes a key under a condition, a query string. Returns 1, 0 when the condition was not
 * met, or -1. */
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

/* Reads the key and writes it once if needed. Returns 0 when its value is right; 1 when
 * it must be read again, because it was written here or by another client; or -1. */
static int read_and_write(const char *url, const char *want, bool *wrote, struct err *e)
{
	_cleanup_free_ char *value = NULL, *better = NULL, *condition = NULL;
	uint64_t index = 0;
	int r = get(url, &value, &index, e);

	if (r < 0)
		return -1;
	if (etcd_contains(value, want, &better))
		return 0;
	condition = r ? xasprintf("prevIndex=%llu", (unsigned long long)index)
		      : xstrdup("prevExist=false");
	r = put(url, condition, better, e);
	if (r < 0)
		return -1;
	*wrote = *wrote || r > 0;
	return 1;
}

static char *url_of(struct hostport at, const char *key)
{
	char server[NET_HOSTPORT_LEN];

	return xasprintf("http://%s/v2/keys%s", net_format_hostport(at, server), key);
}

int etcd_has(struct hostport at, const char *key, struct err *e)
{
	_cleanup_free_ char *url = url_of(at, key), *value = NULL;
	uint64_t index;

	return get(url, &value, &index, e);
}

int etcd_ensure(struct hostport at, const char *key, const char *want, struct err *e)
{
	_cleanup_free_ char *url = url_of(at, key);
	bool wrote = false;

	for (unsigned i = 0; i < TRIES; i++) {
		int r = read_and_write(url, want, &wrote, e);

		if (r <= 0)
			return r < 0 ? -1 : wrote;
	}
	return err_set(e, ERR_FAILED, "%s does not keep the value '%s'", url, want);
}
