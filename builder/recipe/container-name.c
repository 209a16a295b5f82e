/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/recipe/container-name.h"

#include "lib/str.h"

#include <ctype.h>

int container_name_parse(char *name, struct container_name *ret)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz0123456789._-/:";
	static const char tag_ok[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-";
	char *colon = strrchr(name, ':');

	if (!colon || strchr(colon, '/') || !colon[1] || colon == name ||
	    colon[1 + strspn(colon + 1, tag_ok)] || colon[1] == '.' || colon[1] == '-')
		return -EINVAL;
	*colon = '\0';
	if (name[strspn(name, ok)] || !isalnum((unsigned char)name[0]) ||
	    str_ends(name, "/") || strstr(name, "//"))
		return -EINVAL;
	*ret = (struct container_name){name, colon + 1};
	return 0;
}

/*
 * Follows Docker (registry/reference.go): the part before the first slash is a host if it
 * has a dot or a colon or is "localhost"; without a host it is docker.io, and a name
 * without a slash is below "library" there.
 */
char *container_name_url(const char *image, const char *digest)
{
	_cleanup_free_ char *name = xstrdup(image);
	struct container_name as;
	size_t n;
	bool host;

	if (container_name_parse(name, &as) < 0)
		return NULL;
	n = strcspn(as.repository, "/");
	host = as.repository[n] &&
	       (memchr(as.repository, '.', n) || memchr(as.repository, ':', n) ||
		(n == 9 && str_after(as.repository, "localhost/")));
	return xasprintf(REGISTRY_SCHEME "%s%s%s%s",
			 host               ? ""
			 : as.repository[n] ? "docker.io/"
					    : "docker.io/library/",
			 as.repository, digest ? "@" : ":", digest ? digest : as.tag);
}
