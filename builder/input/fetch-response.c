/* SPDX-License-Identifier: Apache-2.0 */
/* Parses header lines one at a time, as they arrive. Unknown names are skipped; a
 * malformed value counts as absent. */
#include "builder/input/fetch-response.h"

#include "lib/str.h"

#include <ctype.h>

/* Returns the value of the header `name` without the blanks around it. NULL for another
 * header, and for a value with a control character, which RFC 9110 (5.5) calls invalid:
 * values are sent back to the server. Owned by the caller. */
static char *value_of(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	for (line += n + 1, len -= n + 1; len > 0 && isspace((unsigned char)*line); len--)
		line++;
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
			return NULL;
	return xstrndup(line, len);
}

/* Parses an IMF-fixdate, the only form that senders may use (RFC 9110, 5.6.7). Returns 0
 * for another form. */
static time_t parse_date(const char *s)
{
	struct tm tm = {0};
	const char *end = strptime(s, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end && !*end ? timegm(&tm) : 0;
}

static void replace(char **to, char *value)
{
	free(*to);
	*to = value;
}

static void set_etag(struct response *r, char *value)
{
	/* A weak ETag (W/"...") does not mean identical bytes. */
	if (value[0] == '"')
		replace(&r->etag, value);
	else
		free(value);
}

static void set_modified(struct response *r, char *value)
{
	r->modified = parse_date(value);
	replace(&r->last_modified, value);
}

static void set_date(struct response *r, char *value)
{
	r->date = parse_date(value);
	free(value);
}

static void set_type(struct response *r, char *value)
{
	replace(&r->content_type, value);
}

static void set_length(struct response *r, char *value)
{
	uint64_t n;

	r->framed |= str_to_u64(value, INT64_MAX, &n) == 0;
	free(value);
}

static void set_coding(struct response *r, char *value)
{
	r->framed |= strcasecmp(value, "chunked") == 0;
	free(value);
}

/* Parses "bytes 7-9/10", or with a star for the 10 (RFC 9110, 14.4). */
static bool parse_range(const char *value, uint64_t *start, uint64_t *total)
{
	const char *range = str_after(value, "bytes ");
	_cleanup_strv_ char **ends = NULL, **parts = strv_split(range ? range : "", "/");
	uint64_t last;

	if (strv_len(parts) != 2)
		return false;
	ends = strv_split(parts[0], "-");
	if (strv_len(ends) != 2 || str_to_u64(ends[0], INT64_MAX, start) < 0 ||
	    str_to_u64(ends[1], INT64_MAX, &last) < 0 || last < *start)
		return false;
	*total = 0;
	return streq(parts[1], "*") ||
	       (str_to_u64(parts[1], INT64_MAX, total) == 0 && *total > last);
}

static void set_range(struct response *r, char *value)
{
	uint64_t start, total;

	r->has_range = parse_range(value, &start, &total);
	r->range_start = r->has_range ? start : 0;
	r->range_total = r->has_range ? total : 0;
	free(value);
}

static const struct {
	const char *name;
	void (*set)(struct response *r, char *value);
} headers[] = {
	{"ETag", set_etag},
	{"Last-Modified", set_modified},
	{"Date", set_date},
	{"Content-Type", set_type},
	{"Content-Length", set_length},
	{"Transfer-Encoding", set_coding},
	{"Content-Range", set_range},
};

void response_header(struct response *r, const char *line, size_t len)
{
	if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
		response_done(r);
		r->framed = line[5] != '1'; /* since HTTP/2, every message is */
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		char *value = value_of(line, len, headers[i].name);

		if (value)
			headers[i].set(r, value);
	}
}

void response_done(struct response *r)
{
	free(r->etag);
	free(r->last_modified);
	free(r->content_type);
	*r = (struct response){0};
}

const char *response_validator(const struct response *r)
{
	if (r->etag)
		return r->etag;
	if (r->last_modified && r->modified && r->date > r->modified)
		return r->last_modified;
	return NULL;
}
