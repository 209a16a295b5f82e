/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/temp-file.h"

#include "builder/common/leftovers.h"
#include "lib/file.h"
#include "lib/str.h"

const char *temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/var/tmp";
}

int temp_file_open_in(const char *dir, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	_cleanup_free_ char *path = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return err_errno(e, errno, "%s", dir);
	if (leftovers_make(&s, dir, "file", e) < 0)
		return -1;
	path = xasprintf("%s/file", s.inside);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? err_errno(e, errno, "%s", path) : fd;
}

int temp_file_open(struct err *e)
{
	int fd = temp_file_open_in(temp_dir(), e);

	return fd < 0 ? err_wrap(e, "TMPDIR") : fd;
}
