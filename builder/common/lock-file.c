/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/lock-file.h"

#include "lib/log.h"

#include <fcntl.h>
#include <sys/file.h>

int flock_retry(int fd, int operation)
{
	int r;

	do
		r = flock(fd, operation);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int lock_file_at(int dirfd, const char *path, const char *holder, int *ret_fd,
		 struct err *e)
{
	_cleanup_close_ int fd =
		openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r;

	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	r = flock_retry(fd, LOCK_EX | LOCK_NB);
	if (r == -EWOULDBLOCK) {
		log_info("waiting for %s", holder);
		r = flock_retry(fd, LOCK_EX);
	}
	if (r < 0)
		return err_errno(e, r, "%s: cannot be locked", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
