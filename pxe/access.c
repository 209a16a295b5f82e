/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the log's one format strictly, field by field from the left. The request is text
 * that the client sent: if it is not "METHOD PATH PROTOCOL", the line is accepted with an
 * empty method and path.
 */
#include "pxe/access.h"

#include "lib/str.h"

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

/* Sets method and path, or leaves both empty if the text is not a request. */
static void split_request(const char *s, size_t len, struct access *a)
{
	const char *end = s + len;
	const char *path = memchr(s, ' ', len), *stop;
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
	n = (size_t)(stop - path);
	if (memchr(path, '?', n))
		n = (size_t)((const char *)memchr(path, '?', n) - path);
	n = n < sizeof(a->path) ? n : sizeof(a->path) - 1;
	memcpy(a->path, path, n);
	a->path[n] = '\0';
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
