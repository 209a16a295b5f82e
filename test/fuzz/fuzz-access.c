/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the boot server's access log, line by line. In an accepted
 * line, method, path and query are NUL-terminated within their fields and the path has no
 * query. A value of the query is clean text that fits.
 */
#include "pxe/access.h"

#include "lib/str.h"
#include "lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_value(const struct access *a, const char *key)
{
	_cleanup_free_ char *clean = NULL;
	char out[65];
	bool found;

	memset(out, 'x', sizeof(out));
	found = access_query(a, key, out, sizeof(out));
	if (strnlen(out, sizeof(out)) == sizeof(out) || found != (*out != '\0'))
		abort();
	clean = text_cleaned(out);
	if (!streq(clean, out) || strchr(out, '\n'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		struct access a;

		if (access_parse(lines[i], &a) < 0)
			continue;
		if (strnlen(a.method, sizeof(a.method)) == sizeof(a.method) ||
		    strnlen(a.path, sizeof(a.path)) == sizeof(a.path) ||
		    strnlen(a.query, sizeof(a.query)) == sizeof(a.query) ||
		    strchr(a.path, '?'))
			abort();
		try_value(&a, "mac");
		try_value(&a, "serial");
	}
	return 0;
}
