/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block device held exclusively, as a flash_target: written and read with O_DIRECT,
 * so that the rate is the device's, an error comes at the place where it is, and what is
 * read back comes from the device.
 */
#pragma once

#include "builder/disk/device.h"
#include "builder/disk/flash.h"

#include <sys/types.h>

struct blockdev {
	int fd;
	dev_t number; /* of its node */
	struct device facts;
	struct flash_target target; /* its `data` is this blockdev: do not move it */
};

/*
 * What it is, without opening it for writing: `facts`. `root` as in device.h; the
 * device's own node is `path`.
 */
int blockdev_find(struct blockdev *b, int root, const char *path,
		  struct err *e) _must_check_;

/*
 * Opens it. O_EXCL: it fails while the kernel uses the disk or a partition of it for
 * anything, and nothing can be mounted from it until it is closed (open(2),
 * block/bdev.c).
 */
int blockdev_open(struct blockdev *b, struct err *e) _must_check_;

/* The kernel, and with it udev, learns of the new partitions, if it may. */
void blockdev_reread(const struct blockdev *b);
void blockdev_done(struct blockdev *b);
#define _cleanup_blockdev_ _cleanup_(blockdev_done)
