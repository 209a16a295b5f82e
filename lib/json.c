/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call appends its value at once; the only state is the depth and whether the next
 * value needs a comma. Brackets that do not match are a programming error and abort.
 */
#include "lib/json.h"

#include "lib/text.h"

#include <assert.h>

/* Appends \\uXXXX, or two of them for a code point beyond U+FFFF (RFC 8259, 7). */
static void append_escaped(struct buf *b, uint32_t code)
{
	if (code > 0xffff) {
		code -= 0x10000;
		buf_printf(b, "\\u%04x", 0xd800 | code >> 10);
		code = 0xdc00 | (code & 0x3ff);
	}
	buf_printf(b, "\\u%04x", code);
}

static void append_string(struct buf *b, const char *value)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";

	buf_puts(b, "\"");
	for (const char *s = value; *s;) {
		const char *special = strchr(plain, *s);
		uint32_t code = 0;
		size_t n = text_sequence(s, &code);

		if (special)
			buf_printf(b, "\\%c", letter[special - plain]);
		else if (n == 0)
			buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
		else if (text_is_hidden(code))
			append_escaped(b, code);
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
