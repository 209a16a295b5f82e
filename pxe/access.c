/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the log's one format strictly, field by field from the left. The request is text
 * that the client sent: if it is not "METHOD PATH PROTOCOL", the line is accepted with an
 * empty method and path.
 */
#include "pxe/access.h"

#include "lib/str.h"
#include "lib/text.h"

/* Parses "1700000000.123" as milliseconds; the fraction must have three digits. Returns
 * the end of the number, or NULL. */
static const char *parse_ms(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned digits = 0, fraction = 0;
	bool dot = false;

	for (; (*s >= '0' && *s <= '9') || (*s == '.' && !dot); s++) {
		if (*s == '.') {
			dot = true;
			continue;
		}
		if (++digits > 17)
			return NULL;
		v = v * 10 + (uint64_t)(*s - '0');
		fraction += dot;
	}
	*ret = v;
	return digits > 3 && fraction == 3 ? s : NULL;
}

/* Returns the end of the number, or NULL. */
static const char *parse_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned digits = 0;

	for (; *s >= '0' && *s <= '9'; s++) {
		if (++digits > 18)
			return NULL;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*ret = v;
	return digits ? s : NULL;
}

static const char *skip(const char *s, const char *text)
{
	return s ? str_after(s, text) : NULL;
}

/* Returns the end of the address, or NULL. */
static const char *parse_address(const char *s, uint32_t *ret)
{
	char text[NET_ADDR_LEN];
	size_t n = strcspn(s, " ");

	if (n >= sizeof(text))
		return NULL;
	memcpy(text, s, n);
	text[n] = '\0';
	return net_parse_addr(text, ret) < 0 ? NULL : s + n;
}

/* Copies the text from `s` to `end`, cut off if it does not fit. */
static void copy(char *out, size_t size, const char *s, const char *end)
{
	size_t n = (size_t)(end - s);

	n = n < size ? n : size - 1;
	memcpy(out, s, n);
	out[n] = '\0';
}

/* Sets method, path and query, or leaves them empty if the text is not a
 * request. */
static void split_request(const char *s, size_t len, struct access *a)
{
	const char *end = s + len;
	const char *path = memchr(s, ' ', len), *stop, *query;
	size_t n;

	if (!path || (size_t)(path - s) >= sizeof(a->method))
		return;
	n = (size_t)(path - s);
	path++;
	stop = memchr(path, ' ', (size_t)(end - path));
	if (!stop)
		return;
	memcpy(a->method, s, n);
	a->method[n] = '\0';
	query = memchr(path, '?', (size_t)(stop - path));
	copy(a->path, sizeof(a->path), path, query ? query : stop);
	if (query)
		copy(a->query, sizeof(a->query), query + 1, stop);
}

int access_parse(const char *line, struct access *ret)
{
	struct access a = {0};
	const char *s = parse_ms(line, &a.end_ms), *request, *quote;
	uint64_t status = 0;

	s = skip(s, " ");
	s = s ? parse_address(s, &a.address) : NULL;
	request = skip(s, " \"");
	quote = request ? strchr(request, '"') : NULL;
	s = skip(quote, "\" ");
	s = s ? parse_u64(s, &status) : NULL;
	s = skip(s, " ");
	s = s ? parse_u64(s, &a.bytes) : NULL;
	s = skip(s, " ");
	s = s ? parse_ms(s, &a.took_ms) : NULL;
	if (!s || *s || status > 999)
		return -EINVAL;
	a.status = (unsigned)status;
	split_request(request, (size_t)(quote - request), &a);
	*ret = a;
	return 0;
}

int access_next(struct tail *t, struct access *ret)
{
	char line[TAIL_LINE_MAX];

	while (tail_next(t, line))
		if (access_parse(line, ret) == 0)
			return 1;
	return 0;
}

/* --- the query -------------------------------------------------------------------- */

/* Returns the value of the parameter, which ends at '&' or NUL, or NULL. */
static const char *find_parameter(const char *query, const char *key)
{
	size_t len = strlen(key);

	for (const char *s = query; s; s = strchr(s, '&')) {
		s += *s == '&';
		if (strncmp(s, key, len) == 0 && s[len] == '=')
			return s + len + 1;
	}
	return NULL;
}

/* Decodes one byte of a value, and moves *s behind it. A '%' without two digits is
 * itself, and so is '+': iPXE writes a blank as "%20". */
static char decode(const char **s)
{
	const char *at = *s;
	int byte;

	if (at[0] == '%' && (byte = str_hex_byte(at + 1)) >= 0) {
		*s = at + 3;
		return (char)byte;
	}
	if (at[0] == '\\' && at[1] == 'x' && (byte = str_hex_byte(at + 2)) >= 0) {
		*s = at + 4;
		return (char)byte;
	}
	*s = at + 1;
	return at[0];
}

bool access_query(const struct access *a, const char *key, char *out, size_t size)
{
	const char *s = find_parameter(a->query, key);
	size_t n = 0, begin = 0;

	while (s && *s && *s != '&' && n + 1 < size) {
		char c = decode(&s);

		out[n++] = c ? c : ' '; /* a NUL would hide what follows */
	}
	out[n] = '\0';
	text_clean(out);
	begin = strspn(out, " ");
	while (n > begin && out[n - 1] == ' ')
		n--;
	memmove(out, out + begin, n - begin);
	out[n - begin] = '\0';
	return n > begin;
}
