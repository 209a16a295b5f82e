/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats the places of hosts and other entries for messages. A rack file may include
 * others, so every line goes with the name of its own file.
 */
#include "pxe/rack-parts.h"

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
