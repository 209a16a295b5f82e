/* SPDX-License-Identifier: Apache-2.0 */
/* A list of "PREFIX=REPLACEMENT"; prefixes are compared as text. */
#include "mirror.h"

#include "lib/str.h"

static int check(const char *arg, const char *from, struct err *e)
{
	const char *eq = strchr(arg, '=');

	if (!eq || eq == arg || !eq[1] ||
	    !(eq[1] == '/' || str_after(eq + 1, "http://") ||
	      str_after(eq + 1, "https://") || str_after(eq + 1, "file:///")))
		return err_set(
			e, ERR_USAGE,
			"%s: must be PREFIX=REPLACEMENT, the replacement a URL or an "
			"absolute path, not '%s'",
			from, arg);
	return 0;
}

int mirrors_add(char ***mirrors, const char *arg, struct err *e)
{
	if (check(arg, "--mirror", e) < 0)
		return -1;
	strv_add(mirrors, arg);
	return 0;
}

int mirrors_add_environment(char ***mirrors, struct err *e)
{
	const char *env = getenv("RACKSTRAP_MIRROR");
	_cleanup_strv_ char **words = env ? strv_split(env, " \t\n") : NULL;

	for (size_t i = 0; words && words[i]; i++) {
		if (check(words[i], "RACKSTRAP_MIRROR", e) < 0)
			return -1;
		strv_add(mirrors, words[i]);
	}
	return 0;
}

char *mirror_apply(char *const *mirrors, const char *url)
{
	const char *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; mirrors && mirrors[i]; i++) {
		size_t n = strcspn(mirrors[i], "=");

		if (n > best_len && strncmp(url, mirrors[i], n) == 0) {
			best = mirrors[i] + n + 1;
			best_len = n;
		}
	}
	if (!best)
		return xstrdup(url);
	return xasprintf("%s%s%s", best[0] == '/' ? "file://" : "", best, url + best_len);
}
