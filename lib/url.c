/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text is searched for "://"; the scheme before it does not matter. The user
 * information ends at the last '@' before the path, as curl reads it, so that nothing of
 * a password with an '@' remains.
 */
#include "lib/url.h"

#include "lib/str.h"

#define URL_END " \t\r\n\"'`<>,"

/* A URL behind its "://": "user:pw@host:80/x?y" has a host of 7 bytes. */
struct parts {
	size_t userinfo; /* length of "user:pw@", 0 if there is none */
	size_t path;     /* where the authority ends */
	size_t query;    /* where the '?' is, or `end` */
	size_t end;
};

static bool is_number(const char *s, const char *end)
{
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s == end;
}

static struct parts parts_of(const char *s, const char *ends)
{
	struct parts p = {.end = strcspn(s, ends)};
	const char *at, *host, *port;

	for (p.path = 0; p.path < p.end && !strchr("/?#", s[p.path]);)
		p.path++;
	at = memrchr(s, '@', p.path);
	host = at ? at + 1 : s;
	port = memrchr(host, ':', (size_t)(s + p.path - host));
	/* With a slash in the password, its beginning looks like the port. */
	if (port && host[0] != '[' && !is_number(port + 1, s + p.path))
		at = memrchr(s, '@', p.end);
	p.userinfo = at ? (size_t)(at - s) + 1 : 0;
	for (p.query = p.userinfo; p.query < p.end && s[p.query] != '?';)
		p.query++;
	return p;
}

bool url_has_userinfo(const char *url)
{
	const char *s = strstr(url, "://");

	return s && parts_of(s + 3, "").userinfo > 0;
}

char *url_public(const char *url)
{
	char *copy = xstrdup(url), *s = strstr(copy, "://");
	size_t n = s ? parts_of(s + 3, "").userinfo : 0;

	if (n > 0)
		memmove(s + 3, s + 3 + n, strlen(s + 3 + n) + 1);
	copy[strcspn(copy, "?#")] = '\0';
	return copy;
}

static void strip(char *text, bool queries)
{
	char *out = text, *s;

	while ((s = strstr(text, "://"))) {
		struct parts p = parts_of(s + 3, URL_END);
		size_t end = queries ? p.query : p.end;

		s += 3;
		memmove(out, text, (size_t)(s - text));
		out += s - text;
		memmove(out, s + p.userinfo, end - p.userinfo);
		out += end - p.userinfo;
		text = s + p.end;
	}
	memmove(out, text, strlen(text) + 1);
}

void url_strip_userinfo(char *text)
{
	strip(text, false);
}

void url_strip_secrets(char *text)
{
	strip(text, true);
}
