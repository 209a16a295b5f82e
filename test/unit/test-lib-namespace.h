/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the test root in namespaces of its own, without any privilege. */
#pragma once

#include "lib/file.h"
#include "lib/str.h"

#include <sched.h>

static int write_proc(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

/* Creates a user namespace in which the caller is root, and the namespaces in `flags`.
 * Returns 0, or -errno when the kernel refuses. */
static int become_root(int flags)
{
	_cleanup_free_ char *users = xasprintf("0 %u 1", (unsigned)geteuid());
	_cleanup_free_ char *groups = xasprintf("0 %u 1", (unsigned)getegid());
	int r;

	if (unshare(CLONE_NEWUSER | flags) < 0)
		return -errno;
	r = write_proc("/proc/self/uid_map", users);
	if (r == 0)
		r = write_proc("/proc/self/setgroups", "deny");
	return r < 0 ? r : write_proc("/proc/self/gid_map", groups);
}
