/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text is searched for "://", whatever the scheme, and for "http:" and its relatives
 * with any number of slashes: curl accepts some of these, people mistype the others. The
 * user information ends at the last '@' before the path, as curl reads it, so that
 * nothing of a password with an '@' remains. Without exactly two slashes nobody can tell
 * where a path begins, so there it ends at the last '@' of all. A URL may have another
 * URL in its path or query, so the search goes on behind the user information.
 */
#include "lib/url.h"

#include "lib/str.h"

#include <ctype.h>

#define URL_END " \t\r\n\"'`<>,"
/* User information may have ' and , (RFC 3986 3.2.1). */
#define INFO_END " \t\r\n\"`<>"
#define SLASHES  "/\\"

/* These name a host. */
static const char *const web[] = {
	"http", "https",  "ftp",     "ftps",   "sftp",
	"scp",  "socks4", "socks4a", "socks5", "socks5h",
};

/* These have a path, in which an '@' means nothing. */
static const char *const local[] = {"file", "copy", "cdrom"};

/* The rest of a text up to `end`, and its last '@', or NULL. */
struct word {
	const char *end, *at;
};

static bool is_one_of(const char *s, size_t n, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == n && strncasecmp(s, names[i], n) == 0)
			return true;
	return false;
}

static bool is_web(const char *s, size_t n)
{
	return is_one_of(s, n, web, ARRAY_SIZE(web));
}

/* Returns the first colon in `s` behind a URL's scheme, or NULL. Sets *ret_web if the
 * scheme is one of `web`. */
static char *find_scheme(char *s, bool *ret_web)
{
	for (char *p = strchr(s, ':'); p; p = strchr(p + 1, ':')) {
		char *name = p;

		while (name > s && isalnum((unsigned char)name[-1]))
			name--;
		*ret_web = is_web(name, (size_t)(p - name));
		if (*ret_web || (p[1] == '/' && p[2] == '/'))
			return p;
	}
	return NULL;
}

/* Returns the colon behind the first word of a text that is to be a URL, or NULL if it
 * has none. "NAME:PASSWORD@host" is such a text too, a local path is not. */
static char *first_scheme(char *url)
{
	size_t n = strcspn(url, ":/\\?#");

	return url[n] == ':' && !is_one_of(url, n, local, ARRAY_SIZE(local)) ? url + n
									     : NULL;
}

static bool is_number(const char *s, const char *end)
{
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s == end;
}

/* Returns the length of the user information behind "://", with its '@'. */
static size_t info_of_authority(const char *s, const struct word *w)
{
	const char *end = s + strcspn(s, "/?#"), *at, *host, *port;

	end = end < w->end ? end : w->end;
	at = memrchr(s, '@', (size_t)(end - s));
	host = at ? at + 1 : s;
	port = memrchr(host, ':', (size_t)(end - host));
	/* With a slash in the password, its beginning looks like the port. */
	if (port && host[0] != '[' && !is_number(port + 1, end) && w->at >= s)
		at = w->at;
	return at ? (size_t)(at - s) + 1 : 0;
}

static size_t info_len(const char *s, size_t slashes, bool any, const struct word *w)
{
	size_t n = 0, last = w->at && w->at >= s ? (size_t)(w->at - s) + 1 : 0;

	if (slashes == 2 && s[-1] == '/' && s[-2] == '/')
		n = info_of_authority(s, w);
	else if (any)
		n = last;
	/* The host is empty: now it looks like a URL with more slashes. */
	return any && n > 0 && s[n] && strchr(SLASHES, s[n]) ? last : n;
}

/* Removes user information. `ends` are the characters that end a URL; if there are none,
 * the text is one URL. */
static void strip_info(char *text, const char *ends)
{
	char *out = text, *first = *ends ? NULL : first_scheme(text);
	struct word w = {0};
	bool any = true;

	for (char *s = text, *p; (p = first ? first : find_scheme(s, &any));
	     first = NULL) {
		char *from = s;
		size_t slashes = strspn(p + 1, SLASHES), info;

		s = p + 1 + slashes;
		if (!w.end || s >= w.end) {
			w.end = s + strcspn(s, ends);
			w.at = memrchr(s, '@', (size_t)(w.end - s));
		}
		info = info_len(s, slashes, any, &w); /* before s[-1] changes */
		memmove(out, from, (size_t)(s - from));
		out += s - from;
		s += info;
		text = s;
	}
	memmove(out, text, strlen(text) + 1);
}

/* Removes queries and fragments, and the parameters of a path's segments
 * (";signature=1"). A semicolon at the end is the text's. */
static void strip_parameters(char *text)
{
	char *out = text, *p;
	bool any;

	while ((p = find_scheme(text, &any))) {
		char *end = p + strcspn(p, URL_END);

		memmove(out, text, (size_t)(p - text));
		out += p - text;
		while (p < end && *p != '?' && *p != '#')
			if (*p == ';' && p + 1 < end)
				p += strcspn(p, "/?#" URL_END);
			else
				*out++ = *p++;
		text = end;
	}
	memmove(out, text, strlen(text) + 1);
}

bool url_has_userinfo(const char *url)
{
	_cleanup_free_ char *copy = xstrdup(url);

	strip_info(copy, "");
	return !streq(copy, url);
}

char *url_public(const char *url)
{
	char *copy = xstrdup(url);

	strip_info(copy, "");
	copy[strcspn(copy, "?#")] = '\0';
	return copy;
}

const char *url_authority(const char *url)
{
	const char *scheme = strstr(url, "://");

	return scheme ? scheme + strlen("://") : NULL;
}

char *url_server(const char *url)
{
	const char *at = url_authority(url);

	return at ? xstrndup(url, (size_t)(at - url) + strcspn(at, "/?#")) : xstrdup(url);
}

void url_strip_userinfo(char *text)
{
	strip_info(text, INFO_END);
}

void url_strip_secrets(char *text)
{
	strip_info(text, INFO_END);
	strip_parameters(text);
}

size_t url_cut_word(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (!text[n] || !strchr(" \t\r\n\"", text[n])))
		n++;
	return n;
}
