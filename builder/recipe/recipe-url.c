/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of a recipe. A recipe, its lock and an image's manifest are shown to others, so no
 * URL has a user name or password, and a query is not recorded or printed: it often is a
 * token, or a signature that is another one tomorrow. The digest identifies the file. A
 * recipe says public_query = true where the query is part of the file's name, as in
 * "?file=x" and "?raw=true".
 */
#include "builder/recipe/recipe-parse.h"

#include "lib/url.h"

bool recipe_is_url(const char *s)
{
	static const char *const schemes[] = {"https://", "http://", "file:///"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		const char *rest = str_after(s, schemes[i]);

		if (rest && *rest && *rest != '/')
			return true;
	}
	return false;
}

int recipe_check_url(const struct conf_node *n, const char *key, const char *url,
		     const char *instead, struct diag *d)
{
	_cleanup_free_ char *shown = url_public(url);

	if (url_has_userinfo(url))
		return conf_complain(conf_member(n, key), d,
				     "%s: %s: has a user name or password in it, which "
				     "everybody who gets the recipe sees: %s",
				     key, shown, instead);
	if (!recipe_is_url(url))
		return conf_complain(conf_member(n, key), d,
				     "%s: must begin with https://, http:// or file:///, "
				     "not '%s'",
				     key, shown);
	return 0;
}

int recipe_get_url(const struct conf_node *n, char **url, char **source, struct diag *d)
{
	bool public = false;
	int r = conf_get_bool(n, "public_query", &public, d);
	const char *s = NULL;

	(void)!conf_get_str(n, "url", &s, d);
	if (r > 0 && (!s || !strchr(s, '?')))
		conf_complain(conf_member(n, "public_query"), d,
			      "public_query: has no effect without a url that has a "
			      "query: leave it out");
	if (!s)
		return conf_member(n, "url") ? -1 : 0;
	free(*url);
	free(TAKE_PTR(*source));
	*url = url_public(s); /* also of a wrong one, which is then not missing as well */
	if (!recipe_is_word(s))
		return conf_complain(conf_member(n, "url"), d,
				     "url: must be one word of printable characters, not "
				     "'%s'",
				     *url);
	if (recipe_check_url(n, "url", s,
			     "put them into a file for --netrc-file "
			     "(rackstrap-build(1))",
			     d) < 0)
		return -1;
	if (public || !strchr(s, '?')) {
		free(*url);
		*url = xstrdup(s);
	} else {
		*source = xstrdup(s);
	}
	return 1;
}

/* --- the whole recipe -------------------------------------------------------------- */

static int by_url(const void *a, const void *b)
{
	const struct recipe_artifact *x = *(const struct recipe_artifact *const *)a;
	const struct recipe_artifact *y = *(const struct recipe_artifact *const *)b;
	int r = strcmp(x->url, y->url);

	return r != 0 ? r : (x > y) - (x < y);
}

void recipe_check_urls(const struct recipe *r, struct diag *d)
{
	_cleanup_free_ const struct recipe_artifact **v =
		xcalloc(r->n_artifacts + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < r->n_artifacts; i++)
		if (r->artifacts[i].url && r->artifacts[i].name)
			v[n++] = &r->artifacts[i];
	if (n > 0)
		qsort(v, n, sizeof(*v), by_url);
	for (size_t i = 1; i < n; i++) {
		const char *a = v[i - 1]->source, *b = v[i]->source;
		_cleanup_free_ char *title = recipe_artifact_title(v[i]);

		if (streq(v[i - 1]->url, v[i]->url) && !streq(a ? a : "", b ? b : ""))
			diag_add(d,
				 "%s: %s: its url differs from that of %s only in the "
				 "query, which is not recorded: give both public_query = "
				 "true if it holds no secret",
				 v[i]->where, title, v[i - 1]->where);
	}
}
