/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disks of this machine: what they are, and who uses them. All of it comes from
 * files below a root directory (its descriptor is the first argument), so that a test can
 * have any machine it likes: /sys/block, /sys/dev/block, /proc/self/mountinfo,
 * /proc/swaps (proc(5)) and, where udev runs, /run/udev/data.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

struct device {
	char *name;      /* the kernel's: "sda", "nvme0n1" */
	char *path;      /* "/dev/sda" */
	uint64_t size;   /* bytes; 0: no medium in it */
	unsigned sector; /* logical, bytes */
	bool read_only, removable;
	const char *bus; /* "usb", "nvme", ... or NULL */
	char *model;     /* or NULL; of a loop device its file */
	char *serial;    /* or NULL */
	char **uses;     /* who uses it, one line each: it may not be written then; NULL:
			  * nobody */
};

/* A whole disk by its kernel name. */
int device_read(struct device *ret, int root, const char *name,
		struct err *e) _must_check_;
void device_done(struct device *d);
#define _cleanup_device_ _cleanup_(device_done)

/*
 * The disk behind a block device's number. *ret is owned. When the number is a
 * partition's it fails, and says of which disk.
 */
int device_name(int root, unsigned major, unsigned minor, const char *path, char **ret,
		struct err *e) _must_check_;

struct devices {
	struct device *v; /* by name */
	size_t n;
};

/* Every disk with a medium in it; no RAM disks, nothing that lies on other disks. */
int devices_read(struct devices *ret, int root, struct err *e) _must_check_;
void devices_done(struct devices *d);
#define _cleanup_devices_ _cleanup_(devices_done)

/* What the operator types to say that this disk is meant: its serial number, or where it
 * has none its name. */
const char *device_token(const struct device *d);

/* The file system's label on partition `number` of it, as udev noted it; owned. NULL when
 * there is none or nobody knows. */
char *device_label(const struct device *d, int root, unsigned number);

/* For device.c: fills `uses` (device-use.c). */
void device_find_uses(struct device *d, int root);
