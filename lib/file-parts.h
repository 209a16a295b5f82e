/* SPDX-License-Identifier: Apache-2.0 */
/* The call with which file.c and file-tree.c open everything. */
#pragma once

#include "lib/cleanup.h"

#include <fcntl.h>

/* Opens a file and retries after EINTR, which slow file systems may return. Returns the
 * descriptor or -errno. */
static inline int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOCTTY, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}
