/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call appends its value at once; the only state is the depth and whether the next
 * value needs a comma. Brackets that do not match are a programming error and abort.
 */
#include "lib/json.h"

#include <assert.h>

/* Returns the length of the valid UTF-8 sequence (RFC 3629) at `s`, 0 when there is
 * none. */
static size_t utf8_len(const uint8_t *s)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (s[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void append_string(struct buf *b, const char *value)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const uint8_t *s = (const uint8_t *)value;

	buf_puts(b, "\"");
	while (*s) {
		const char *special = strchr(plain, *s);
		size_t n = utf8_len(s);

		if (special)
			buf_printf(b, "\\%c", letter[special - plain]);
		else if (*s < 0x20)
			buf_printf(b, "\\u%04x", *s);
		else if (n == 0)
			buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
		else
			buf_add(b, s, n);
		s += n > 0 ? n : 1;
	}
	buf_puts(b, "\"");
}

static void newline(struct json *j)
{
	buf_puts(&j->out, "\n");
	for (unsigned i = 0; i < j->depth; i++)
		buf_puts(&j->out, "  ");
}

/* Appends the comma, newline and key that precede a value. */
static void begin(struct json *j, const char *key)
{
	assert(j->depth > 0 || j->out.len == 0);
	if (j->depth > 0) {
		if (!j->first)
			buf_puts(&j->out, ",");
		newline(j);
	}
	j->first = false;
	if (key) {
		append_string(&j->out, key);
		buf_puts(&j->out, ": ");
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	assert(bracket == '{' || bracket == '[');
	begin(j, key);
	buf_add(&j->out, &bracket, 1);
	j->depth++;
	j->first = true;
}

void json_close(struct json *j, char bracket)
{
	assert((bracket == '}' || bracket == ']') && j->depth > 0);
	j->depth--;
	if (!j->first)
		newline(j);
	j->first = false;
	buf_add(&j->out, &bracket, 1);
}

void json_str(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	if (value)
		append_string(&j->out, value);
	else
		buf_puts(&j->out, "null");
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	buf_printf(&j->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	buf_puts(&j->out, value ? "true" : "false");
}

void json_strv(struct json *j, const char *key, char *const *v)
{
	json_open(j, key, '[');
	for (; v && *v; v++)
		json_str(j, NULL, *v);
	json_close(j, ']');
}

char *json_take(struct json *j)
{
	assert(j->depth == 0);
	buf_puts(&j->out, "\n");
	j->first = false;
	return buf_take(&j->out);
}

void json_done(struct json *j)
{
	buf_done(&j->out);
	*j = (struct json){0};
}
