/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/durable.h"

#include "lib/file.h"

int durable_close(int *fd)
{
	int r = fsync(*fd) < 0 ? -errno : 0;

	if (close(TAKE_FD(*fd)) < 0 && r == 0)
		r = -errno;
	return r;
}

int durable_rename_at(int old_dirfd, const char *old, int new_dirfd, const char *new)
{
	if (renameat(old_dirfd, old, new_dirfd, new) < 0)
		return -errno;
	return fsync_parent_at(new_dirfd, new);
}
