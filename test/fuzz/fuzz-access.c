/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the boot server's access log, line by line. In an accepted
 * line, method and path are NUL-terminated within their fields and the path has no query.
 */
#include "pxe/access.h"

#include "lib/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		    strchr(a.path, '?'))
			abort();
	}
	return 0;
}
