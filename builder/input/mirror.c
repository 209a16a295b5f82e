/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mirrors are kept as a list of the words given; prefixes are compared as text. In an
 * exported tree the query is part of the file's name: it is percent-encoded in requests,
 * so a web server does not take it for a query.
 */
#include "builder/input/mirror.h"

#include "lib/str.h"
#include "lib/url.h"

#include <ctype.h>
#include <sys/stat.h>

static bool is_url(const char *s)
{
	return str_after(s, "http://") || str_after(s, "https://") ||
	       str_after(s, "file:///");
}

static bool is_folder(const char *s)
{
	struct stat st;

	return stat(s, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Returns the word to keep, a folder as its absolute path, or NULL when it is not valid.
 * Owned by the caller. */
static char *normal(const char *arg)
{
	const char *eq = strchr(arg, '=');
	_cleanup_free_ char *path = NULL;

	if (eq)
		return eq > arg && (eq[1] == '/' || is_url(eq + 1)) ? xstrdup(arg) : NULL;
	if (is_url(arg))
		return xstrdup(arg);
	path = is_folder(arg) ? realpath(arg, NULL) : NULL;
	return path ? TAKE_PTR(path) : NULL;
}

static int add(char ***mirrors, const char *arg, const char *from, struct err *e)
{
	_cleanup_free_ char *word = normal(arg);
	const char *eq = strchr(arg, '=');

	if (url_has_userinfo(arg) || (eq && url_has_userinfo(eq + 1)))
		return err_set(e, ERR_USAGE,
			       "%s: has a user name or password in it, which other users "
			       "of this machine can see: put them into a file for "
			       "--netrc-file",
			       from);
	if (!word)
		return err_set(e, ERR_USAGE,
			       "%s: must be PREFIX=REPLACEMENT, the replacement a URL or "
			       "an absolute path, or the URL or folder of an exported "
			       "cache, not '%s'",
			       from, arg);
	strv_add(mirrors, word);
	return 0;
}

int mirrors_add(char ***mirrors, const char *arg, struct err *e)
{
	return add(mirrors, arg, "--mirror", e);
}

int mirrors_add_environment(char ***mirrors, struct err *e)
{
	const char *env = getenv("RACKSTRAP_MIRROR");
	_cleanup_strv_ char **words = env ? strv_split(env, " \t\n") : NULL;

	for (size_t i = 0; words && words[i]; i++)
		if (add(mirrors, words[i], "RACKSTRAP_MIRROR", e) < 0)
			return -1;
	return 0;
}

/* Returns the URL with its prefix replaced, or NULL when no PREFIX matches. Owned by the
 * caller. */
static char *replace_prefix(char *const *mirrors, const char *url)
{
	const char *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; mirrors && mirrors[i]; i++) {
		size_t n = strcspn(mirrors[i], "=");

		if (mirrors[i][n] && n > best_len && strncmp(url, mirrors[i], n) == 0) {
			best = mirrors[i] + n + 1;
			best_len = n;
		}
	}
	if (!best)
		return NULL;
	return xasprintf("%s%s%s", best[0] == '/' ? "file://" : "", best, url + best_len);
}

char *mirror_apply(char *const *mirrors, const char *url)
{
	char *found = replace_prefix(mirrors, url);

	return found ? found : xstrdup(url);
}

/* --- exported trees ---------------------------------------------------------------- */

/* Returns the text without percent-encoding, or NULL when it encodes a NUL. Owned by the
 * caller. */
static char *decode(const char *s)
{
	_cleanup_buf_ struct buf b = {0};

	for (; *s; s++) {
		int byte = *s == '%' ? str_hex_byte(s + 1) : -EINVAL;
		char c = byte < 0 ? *s : (char)byte;

		if (byte >= 0)
			s += 2;
		if (c == '\0')
			return NULL;
		buf_add(&b, &c, 1);
	}
	return buf_take(&b);
}

static char *encode(const char *s)
{
	struct buf b = {0};

	for (; *s; s++)
		if (isalnum((unsigned char)*s) || strchr("/-._~+:@,", *s))
			buf_add(&b, s, 1);
		else
			buf_printf(&b, "%%%02X", (unsigned char)*s);
	return buf_take(&b);
}

static bool is_safe(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");

	for (size_t i = 0; parts && parts[i]; i++)
		if (streq(parts[i], "..") || streq(parts[i], "."))
			return false;
	return parts && path[0] != '/' && !str_ends(path, "/");
}

char *mirror_path(const char *url)
{
	const char *rest = url_authority(url);
	_cleanup_free_ char *text = NULL, *path = NULL;

	if (str_after(url, "package:"))
		text = xasprintf("packages/%s", str_after(url, "package:"));
	else if (str_after(url, "file:///"))
		text = xasprintf("localhost/%s", str_after(url, "file:///"));
	else if (rest)
		text = xstrndup(rest, strcspn(rest, "#"));
	path = text ? decode(text) : NULL;
	return path && is_safe(path) ? TAKE_PTR(path) : NULL;
}

char *mirror_find(char *const *mirrors, const char *url, const char *source)
{
	_cleanup_free_ char *plain =
		strchr(url, '?') ? xstrdup(source) : url_public(source);
	char *found = replace_prefix(mirrors, plain);
	_cleanup_free_ char *path = found ? NULL : mirror_path(url), *in_url = NULL;

	if (found)
		return found;
	for (size_t i = 0; path && mirrors && mirrors[i]; i++) {
		const char *m = mirrors[i];
		_cleanup_free_ char *top = NULL;

		if (strchr(m, '='))
			continue;
		in_url = encode(path);
		top = m[0] == '/' ? encode(m) : xstrdup(m);
		return xasprintf("%s%s%s%s", m[0] == '/' ? "file://" : "", top,
				 str_ends(m, "/") ? "" : "/", in_url);
	}
	return xstrdup(source);
}
