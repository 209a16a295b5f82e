/* SPDX-License-Identifier: Apache-2.0 */
/* A prefix is compared with the beginning of each URL that has as many slashes. */
#include "builder/input/mirror-unused.h"

#include "lib/intern.h"
#include "lib/log.h"

#define HOSTS_MAX 3 /* servers in a warning */

/* Returns the URL up to its slash number `n`, or all of it. Owned by the caller. */
static char *first_parts(const char *url, size_t n)
{
	size_t len = 0;

	for (; url[len] && n > 0; len++)
		n -= url[len] == '/';
	return xstrndup(url, len);
}

static size_t count_slashes(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] == '/';
	return n;
}

static bool begins(const char *url, const char *prefix)
{
	return str_after(url, prefix) || (*url && str_after(prefix, url));
}

/* Returns "; the inputs are on https://a.example/, ..." or "". Owned by the caller. */
static char *servers_text(const struct intern *urls)
{
	_cleanup_intern_ struct intern servers = {0};
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < urls->n; i++) {
		_cleanup_free_ char *server = first_parts(urls->texts[i], 3);

		intern(&servers, server, NULL);
	}
	for (size_t i = 0; i < servers.n && i < HOSTS_MAX; i++)
		buf_printf(&b, "%s%s", i ? ", " : "; the inputs are on ",
			   servers.texts[i]);
	if (servers.n > HOSTS_MAX)
		buf_printf(&b, " and %zu more", servers.n - HOSTS_MAX);
	return buf_take(&b);
}

static void check(const char *mirror, const struct intern *urls, bool all_known)
{
	_cleanup_free_ char *prefix = xstrndup(mirror, strcspn(mirror, "="));
	size_t slashes = count_slashes(prefix, strlen(prefix));
	_cleanup_strv_builder_ struct strv_builder parts = {0};
	_cleanup_free_ char *servers = NULL;
	const char *near;

	for (size_t i = 0; i < urls->n; i++) {
		_cleanup_free_ char *part = first_parts(urls->texts[i], slashes);

		if (begins(urls->texts[i], prefix))
			return;
		strv_builder_add(&parts, part);
	}
	near = str_nearest(prefix, (const char *const *)parts.v);
	if (near) {
		log_warn("--mirror: no input's URL begins with %s (did you mean %s?)",
			 prefix, near);
	} else if (all_known) {
		servers = servers_text(urls);
		log_warn("--mirror: no input's URL begins with %s%s", prefix, servers);
	}
}

void mirrors_warn_unused(char *const *mirrors, size_t n, const struct recipe *r)
{
	bool all_known = r->base.mirror || !r->base.suite;
	_cleanup_intern_ struct intern urls = {0};

	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		if (a->url)
			intern(&urls, a->url, NULL);
		if (a->source)
			intern(&urls, a->source, NULL);
	}
	if (r->base.mirror)
		intern(&urls, r->base.mirror, NULL);
	for (size_t i = 0; i < n; i++)
		if (strchr(mirrors[i], '='))
			check(mirrors[i], &urls, all_known);
}
