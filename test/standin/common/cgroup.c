/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/cgroup.h"

#include "lib/file.h"
#include "lib/str.h"

#define MOUNTS_MAX (1 << 20)

bool cgroup_v1_mounted(const char *controller)
{
	const char *path = getenv("RACKSTRAP_STANDIN_MOUNTS");
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;

	if (file_read_at(AT_FDCWD, path ? path : "/proc/self/mounts", MOUNTS_MAX, &text,
			 NULL) < 0)
		return false;
	lines = strv_split(text, "\n");
	for (size_t i = 0; i < strv_len(lines); i++) {
		_cleanup_strv_ char **field = strv_split(lines[i], " ");
		_cleanup_strv_ char **options = NULL;

		if (strv_len(field) < 4 || !streq(field[2], "cgroup"))
			continue;
		options = strv_split(field[3], ",");
		if (strv_has(options, controller))
			return true;
	}
	return false;
}
