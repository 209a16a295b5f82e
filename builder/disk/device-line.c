/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/disk/device-line.h"

#include "lib/root.h"
#include "lib/str.h"

#include <stdarg.h>

#define FACT_MAX 4096

static _printf_(2, 0) char *vline(int root, const char *fmt, va_list ap)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	char *start;

	if (vasprintf(&path, fmt, ap) < 0)
		abort();
	if (root_read(root, path, FACT_MAX, &text, NULL) < 0)
		return NULL;
	start = text + strspn(text, " \t\n");
	start[strcspn(start, "\n")] = '\0';
	return str_trimmed(start, " \t");
}

char *device_line(int root, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vline(root, fmt, ap);
	va_end(ap);
	return s;
}
