/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats the places of hosts and other entries for messages. A rack file may include
 * others, so every line goes with the name of its own file.
 */
#include "pxe/rack-parts.h"

struct diag_place rack_host_place(const struct rack_host *h)
{
	return (struct diag_place){.file = h->file, .line = h->line};
}

const char *rack_host_where(const struct rack_host *h, char *out, size_t size)
{
	snprintf(out, size, "%s:%u", h->file, h->line);
	return out;
}

const char *other_place(const char *file, unsigned line, const char *than, char *out,
			size_t size)
{
	if (than && streq(file, than))
		snprintf(out, size, "line %u", line);
	else
		snprintf(out, size, "%s:%u", file, line);
	return out;
}

int rack_complain_host(const struct host *h, const struct diag_place *at, struct diag *d,
		       const char *fmt, ...)
{
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	diag_add_at(d, at, "host '%s': %s", h->name ? h->name : "?", msg);
	diag_host(d, h->name);
	return -1;
}
