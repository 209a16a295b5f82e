/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process.h"

#include "lib/file.h"
#include "lib/str.h"

#include <stdlib.h>

#define STAT_MAX 4096

/* Returns the field of that number in a line that begins with field 2, or 0. sscanf(3)
 * would be 37 KB of a static firstboot. */
static uint64_t stat_field(const char *line, unsigned number)
{
	for (unsigned i = 2; line && i < number; i++) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	return line ? strtoull(line, NULL, 10) : 0;
}

bool process_read(struct process *ret, const char *name)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/stat", name), *text = NULL;
	const char *rest;
	uint64_t pid;

	if (str_to_u64(name, INT32_MAX, &pid) < 0 ||
	    file_read_regular_at(AT_FDCWD, path, STAT_MAX, &text, NULL) < 0)
		return false;
	rest = strrchr(text, ')'); /* ends its name, which may have any character */
	*ret = (struct process){.pid = (pid_t)pid,
				.parent = (pid_t)stat_field(rest, 4),
				.start = stat_field(rest, 22)};
	return true;
}
