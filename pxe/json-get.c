/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson parses, and small getters read one member each and check its type. Members that
 * a newer writer added are ignored; one that is missing or of another type is an error
 * that names it.
 */
#include "pxe/json-get.h"

#define VALUES_MAX 500000 /* of a JSON: each takes up to 300 bytes of memory */
#define FORMAT     1

void json_decref_p(json_t **j)
{
	json_decref(*j);
}

/* Counts the values by the signs before them. Those in strings count, too. */
static bool has_few_values(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n <= VALUES_MAX; i++)
		n += text[i] == ',' || text[i] == '{' || text[i] == '[';
	return n <= VALUES_MAX;
}

int json_get_object(json_t **ret, const char *text, size_t len, struct err *e)
{
	json_error_t je;
	json_t *j;

	if (!has_few_values(text, len))
		return err_set(e, ERR_FAILED, "has more than %d values: refused",
			       VALUES_MAX);
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!j)
		return err_set(e, ERR_FAILED, "line %d: %s", je.line, je.text);
	if (!json_is_object(j)) {
		json_decref(j);
		return err_set(e, ERR_FAILED, "not a JSON object");
	}
	*ret = j;
	return 0;
}

int json_get_str(const json_t *j, const char *key, char **ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_string(v))
		return err_set(e, ERR_FAILED, "member '%s' must be a string", key);
	*ret = xstrdup(json_string_value(v));
	return 0;
}

int json_get_str_or_null(const json_t *j, const char *key, char **ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	return !v || json_is_null(v) ? 0 : json_get_str(j, key, ret, e);
}

int json_get_u64(const json_t *j, const char *key, uint64_t *ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return err_set(e, ERR_FAILED, "member '%s' must be a whole number", key);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

int json_get_bool(const json_t *j, const char *key, bool *ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_boolean(v))
		return err_set(e, ERR_FAILED, "member '%s' must be true or false", key);
	*ret = json_is_true(v);
	return 0;
}

int json_get_array(const json_t *j, const char *key, const json_t **ret, struct err *e)
{
	*ret = json_object_get(j, key);
	if (!json_is_array(*ret))
		return err_set(e, ERR_FAILED, "member '%s' must be an array", key);
	return 0;
}

int json_get_strv(const json_t *j, const char *key, char ***ret, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder v = {0};
	const json_t *a;

	if (json_get_array(j, key, &a, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *at = json_array_get(a, i);

		if (!json_is_string(at))
			return err_set(e, ERR_FAILED,
				       "member '%s' must hold strings only", key);
		strv_builder_add(&v, json_string_value(at));
	}
	*ret = strv_builder_take(&v);
	return 0;
}

int json_get_strv_if_any(const json_t *j, const char *key, char ***ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	return !v || json_is_null(v) ? 0 : json_get_strv(j, key, ret, e);
}

int json_check_format(const json_t *j, struct err *e)
{
	uint64_t format;

	if (json_get_u64(j, "format", &format, e) < 0)
		return -1;
	if (format != FORMAT)
		return err_set(e, ERR_FAILED,
			       "format %llu is not supported, only format %d is",
			       (unsigned long long)format, FORMAT);
	return 0;
}
