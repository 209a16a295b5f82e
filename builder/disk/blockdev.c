/* SPDX-License-Identifier: Apache-2.0 */
/* Identifies the device by its number, because its path may be a link such as
 * /dev/disk/by-id/... An open descriptor keeps referring to the same device. */
#include "builder/disk/blockdev.h"

#include "lib/file.h"
#include "lib/str.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* Returns -ENODEV when the device is gone, else `r`: a disk that was pulled out reports a
 * size of 0 and fails with ENOSPC. */
static int io_error(const struct blockdev *b, int r)
{
	uint64_t size = 0;

	if (ioctl(b->fd, BLKGETSIZE64, &size) < 0 || size != b->facts.size)
		return -ENODEV;
	return r;
}

static int dev_write(void *data, uint64_t at, const void *buf, size_t len)
{
	const struct blockdev *b = data;

	for (const char *p = buf; len > 0;) {
		ssize_t n = pwrite(b->fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_error(b, n < 0 ? -errno : -ENOSPC);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int dev_read(void *data, uint64_t at, void *buf, size_t len)
{
	const struct blockdev *b = data;

	for (char *p = buf; len > 0;) {
		ssize_t n = pread(b->fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_error(b, n < 0 ? -errno : -ENODATA);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Flushes the device. BLKFLSBUF drops the pages that readers without O_DIRECT left in the
 * page cache. */
static int dev_flush(void *data)
{
	const struct blockdev *b = data;

	if (fsync(b->fd) < 0)
		return -errno;
	return ioctl(b->fd, BLKFLSBUF, 0) < 0 ? -errno : 0;
}

int blockdev_find(struct blockdev *b, int root, const char *path, struct err *e)
{
	_cleanup_free_ char *name = NULL;
	struct stat st;

	*b = (struct blockdev){.fd = -1};
	if (stat(path, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_FAILED, "%s: is not a disk (not a block device)",
			       path);
	if (device_name(root, major(st.st_rdev), minor(st.st_rdev), path, &name, e) < 0 ||
	    device_read(&b->facts, root, name, e) < 0)
		return -1;
	free(b->facts.path);
	b->facts.path = xstrdup(path);
	b->number = st.st_rdev;
	return 0;
}

static int open_exclusive(struct blockdev *b, struct err *e)
{
	const char *path = b->facts.path;

	b->fd = open(path, O_RDWR | O_EXCL | O_DIRECT | O_CLOEXEC);
	if (b->fd >= 0)
		return 0;
	if (errno == EBUSY)
		return err_set(e, ERR_FAILED,
			       "%s: is in use: it cannot be opened exclusively (it may "
			       "be mounted elsewhere, or part of an array)",
			       path);
	if (errno == EACCES || errno == EPERM)
		return err_set(e, ERR_UNABLE,
			       "%s: cannot be opened: %s: run this as root", path,
			       strerror(errno));
	return err_errno(e, errno, "%s: cannot be opened", path);
}

int blockdev_check_source(const struct blockdev *b, const struct stat *st, struct err *e)
{
	struct loop_info64 info;

	/* loop(4); the device number is encoded like st_dev. */
	if (ioctl(b->fd, LOOP_GET_STATUS64, &info) < 0 || info.lo_inode != st->st_ino ||
	    info.lo_device != st->st_dev)
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s: is a loop device on the image itself: nothing was written",
		       b->facts.path);
}

int blockdev_open(struct blockdev *b, struct err *e)
{
	uint64_t size = 0;
	int sector = 0;
	struct stat st;

	if (open_exclusive(b, e) < 0)
		return -1;
	if (fstat(b->fd, &st) < 0 || ioctl(b->fd, BLKGETSIZE64, &size) < 0 ||
	    ioctl(b->fd, BLKSSZGET, &sector) < 0)
		return err_errno(e, errno, "%s", b->facts.path);
	if (st.st_rdev != b->number || size != b->facts.size ||
	    (unsigned)sector != b->facts.sector)
		return err_set(e, ERR_FAILED,
			       "%s: is a different disk now than a moment ago",
			       b->facts.path);
	b->target = (struct flash_target){
		.name = b->facts.path,
		.size = size,
		.sector = (unsigned)sector,
		.data = b,
		.write = dev_write,
		.read = dev_read,
		.flush = dev_flush,
	};
	return 0;
}

void blockdev_reread(const struct blockdev *b)
{
	/* Fails for devices that the kernel reads no partitions from. The table on the
	 * disk is valid all the same. */
	(void)!ioctl(b->fd, BLKRRPART, 0);
}

void blockdev_done(struct blockdev *b)
{
	if (b->fd >= 0)
		close(b->fd);
	device_done(&b->facts);
	*b = (struct blockdev){.fd = -1};
}
