/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the facts and uses of this machine's disks from files below a directory, whose
 * descriptor is the argument `root`, so that a test can describe any machine: /sys/block,
 * /sys/dev/block, /proc/self/mountinfo, /proc/swaps (proc(5)) and, where udev runs,
 * /run/udev/data.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

struct device {
	char *name;      /* kernel name: "sda", "nvme0n1" */
	char *path;      /* "/dev/sda" */
	uint64_t size;   /* bytes; 0: the drive is empty */
	unsigned sector; /* bytes of a logical sector */
	bool read_only, removable;
	const char *bus; /* "usb", "nvme", ... or NULL */
	char *model;     /* or NULL; of a loop device the path of its file */
	char *serial;    /* or NULL */
	char **uses;     /* one line for each use, for which it must not be written; NULL
			  * when it is not in use */
};

/* Reads the facts of a whole disk by its kernel name. */
int device_read(struct device *ret, int root, const char *name,
		struct err *e) _must_check_;
void device_done(struct device *d);
#define _cleanup_device_ _cleanup_(device_done)

/*
 * Sets *ret to the kernel name of the disk with this device number; owned. Fails for the
 * number of a partition; the message names its disk. `path` is for messages.
 */
int device_name(int root, unsigned major, unsigned minor, const char *path, char **ret,
		struct err *e) _must_check_;

struct devices {
	struct device *v; /* by name */
	size_t n;
};

/* Reads all disks except empty drives, RAM disks, and devices made of other disks (LVM,
 * md, ...). */
int devices_read(struct devices *ret, int root, struct err *e) _must_check_;
void devices_done(struct devices *d);
#define _cleanup_devices_ _cleanup_(devices_done)

/* Returns the text by which the operator confirms the disk: its serial number, or its
 * name when it has none. */
const char *device_token(const struct device *d);

/* Returns the label of the file system on partition `number` from udev's database; owned.
 * NULL when it has none. */
char *device_label(const struct device *d, int root, unsigned number);

/* Fills `uses`; called by device_read() and defined in device-use.c. */
void device_find_uses(struct device *d, int root);
