/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values are found by skipping over whole values. json_scan skips over the whole text
 * once, so that the text and every piece of it are known to be well formed.
 */
#include "firstboot/json-scan.h"

#define DEPTH_MAX 32 /* of objects and arrays within each other */

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdefABCDEF"

static const char *skip_value(const char *s, unsigned depth);

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Each skip_ function returns the position behind the item at `s`, or NULL when there is
 * another item. */

static const char *skip_string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'u' && strspn(s + 1, HEX) >= 4)
			s += 4;
		else if (!*s || !strchr("\"\\/bfnrt", *s))
			return NULL;
	}
	return s + 1;
}

static const char *skip_digits(const char *s)
{
	size_t n = strspn(s, DIGITS);

	return n ? s + n : NULL;
}

static const char *skip_number(const char *s)
{
	s += *s == '-';
	s = *s == '0' ? s + 1 : skip_digits(s);
	if (s && *s == '.')
		s = skip_digits(s + 1);
	if (s && (*s == 'e' || *s == 'E')) {
		s++;
		s = skip_digits(s + (*s == '+' || *s == '-'));
	}
	return s;
}

/* Skips the name of a member and the ':' behind it. */
static const char *skip_name(const char *s)
{
	s = skip_string(s);
	if (!s)
		return NULL;
	s = skip_blanks(s);
	return *s == ':' ? s + 1 : NULL;
}

static const char *skip_list(const char *s, char end, unsigned depth)
{
	bool object = end == '}';

	if (depth == 0)
		return NULL;
	s = skip_blanks(s + 1);
	if (*s == end)
		return s + 1;
	for (;;) {
		s = skip_blanks(s);
		if (object)
			s = skip_name(s);
		if (s)
			s = skip_value(s, depth - 1);
		if (!s)
			return NULL;
		s = skip_blanks(s);
		if (*s == end)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static const char *skip_value(const char *s, unsigned depth)
{
	static const char *const words[] = {"true", "false", "null"};

	s = skip_blanks(s);
	if (*s == '{')
		return skip_list(s, '}', depth);
	if (*s == '[')
		return skip_list(s, ']', depth);
	if (*s == '"')
		return skip_string(s);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_after(s, words[i]))
			return str_after(s, words[i]);
	return skip_number(s);
}

static struct json_piece piece(const char *from, const char *to)
{
	from = skip_blanks(from);
	return (struct json_piece){.at = from, .len = (size_t)(to - from)};
}

bool json_scan(const char *text, struct json_piece *ret)
{
	const char *end = skip_value(text, DEPTH_MAX);

	if (!end || *skip_blanks(end))
		return false;
	*ret = piece(text, end);
	return true;
}

bool json_next(struct json_piece object, size_t *pos, struct json_piece *name,
	       struct json_piece *value)
{
	const char *s = object.at + *pos, *end;

	if (object.len == 0 || *object.at != '{')
		return false;
	s = skip_blanks(s + 1); /* behind '{' or ',' */
	if (*s == '}' || *pos >= object.len - 1)
		return false;
	end = skip_string(s);
	*name = piece(s, end);
	s = skip_blanks(end) + 1;
	end = skip_value(s, DEPTH_MAX);
	*value = piece(s, end);
	*pos = (size_t)(skip_blanks(end) - object.at);
	return true;
}

bool json_next_element(struct json_piece array, size_t *pos, struct json_piece *value)
{
	const char *s = array.at + *pos, *end;

	if (array.len == 0 || *array.at != '[')
		return false;
	s = skip_blanks(s + 1); /* behind '[' or ',' */
	if (*s == ']' || *pos >= array.len - 1)
		return false;
	end = skip_value(s, DEPTH_MAX);
	*value = piece(s, end);
	*pos = (size_t)(skip_blanks(end) - array.at);
	return true;
}

bool json_member(struct json_piece object, const char *name, struct json_piece *ret)
{
	struct json_piece n, v;
	size_t pos = 0;

	while (json_next(object, &pos, &n, &v))
		if (n.len == strlen(name) + 2 &&
		    strncmp(n.at + 1, name, n.len - 2) == 0) {
			*ret = v;
			return true;
		}
	return false;
}

/* --- strings ------------------------------------------------------------------------ */

static void append_utf8(struct buf *b, uint32_t c)
{
	char out[4];
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		out[n++] = (char)(0x80 | (c & 0x3f));
	buf_add(b, out, n);
}

/* Parses four hexadecimal digits. */
static uint32_t hex4(const char *s)
{
	char text[5] = {s[0], s[1], s[2], s[3], '\0'};

	return (uint32_t)strtoul(text, NULL, 16);
}

/* Appends the character whose escape begins behind "\u". Returns the position behind the
 * escape, or NULL when it is not a character. */
static const char *append_escaped(struct buf *b, const char *s)
{
	uint32_t c = hex4(s), low;

	s += 4;
	if (c >= 0xd800 && c < 0xdc00) {
		if (s[0] != '\\' || s[1] != 'u')
			return NULL;
		low = hex4(s + 2);
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		s += 6;
	} else if (c == 0 || (c >= 0xdc00 && c < 0xe000)) {
		return NULL;
	}
	append_utf8(b, c);
	return s;
}

char *json_text(struct json_piece string)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *s = string.at + 1, *end = string.at + string.len - 1, *which;
	_cleanup_buf_ struct buf b = {0};

	if (string.len < 2 || *string.at != '"')
		return NULL;
	while (s < end) {
		if (*s != '\\') {
			buf_add(&b, s++, 1);
			continue;
		}
		s++;
		if (*s == 'u') {
			s = append_escaped(&b, s + 1);
			if (!s)
				return NULL;
			continue;
		}
		which = strchr(from, *s);
		buf_add(&b, which ? &to[which - from] : s, 1);
		s++;
	}
	return b.p ? buf_take(&b) : xstrdup("");
}

/* --- numbers and comparison --------------------------------------------------------- */

int json_u64_of(struct json_piece number, uint64_t *ret)
{
	_cleanup_free_ char *text = xstrndup(number.at, number.len);

	return str_to_u64(text, UINT64_MAX, ret);
}

/* Returns a copy of the piece without blanks between its parts. Owned by the caller. */
static char *squeeze(struct json_piece p)
{
	_cleanup_buf_ struct buf b = {0};
	const char *s = p.at, *end = p.at + p.len;

	while (s < end) {
		const char *next = *s == '"' ? skip_string(s) : s + 1;

		if (!strchr(" \t\r\n", *s))
			buf_add(&b, s, (size_t)(next - s));
		s = next;
	}
	return b.p ? buf_take(&b) : xstrdup("");
}

bool json_same(struct json_piece a, struct json_piece b)
{
	_cleanup_free_ char *x = squeeze(a), *y = squeeze(b);

	return streq(x, y);
}
