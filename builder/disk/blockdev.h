/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a block device exclusively as a flash_target. It is written and read with
 * O_DIRECT: the progress shown is the device's, an error is reported for the bytes that
 * caused it, and data read back comes from the device.
 */
#pragma once

#include "builder/disk/device.h"
#include "builder/disk/flash.h"

#include <sys/stat.h>

struct blockdev {
	int fd;
	dev_t number; /* device number of its node */
	struct device facts;
	struct flash_target target; /* its `data` points to this struct: do not move it */
};

/*
 * Reads the facts of the device whose node is `path`, without opening it. `root` as in
 * device.h.
 */
int blockdev_find(struct blockdev *b, int root, const char *path,
		  struct err *e) _must_check_;

/*
 * Opens the device that blockdev_find() found, with O_EXCL: this fails while the kernel
 * uses the disk or a partition of it, and prevents mounts until it is closed (open(2),
 * block/bdev.c).
 */
int blockdev_open(struct blockdev *b, struct err *e) _must_check_;

/* Checks that the open device is not a loop device on the file with these attributes:
 * writing one of the two would change the other. */
int blockdev_check_source(const struct blockdev *b, const struct stat *st,
			  struct err *e) _must_check_;

/* Has the kernel read the new partition table, which udev notices; errors are ignored. */
void blockdev_reread(const struct blockdev *b);

void blockdev_done(struct blockdev *b);
#define _cleanup_blockdev_ _cleanup_(blockdev_done)
