/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a qcow2's header. A qcow2 can name other files, a backing file or an external
 * data file, and every reader of the image reads those, too: an image from elsewhere
 * could copy any file of this machine into a disk.
 *
 * The format is docs/interop/qcow2.txt of QEMU.
 */
#pragma once

#include "lib/err.h"

/* Sets *ret to the size of the disk in the qcow2 `fd`. Returns 0, or -1. */
int qcow2_size(int fd, const char *path, uint64_t *ret, struct err *e) _must_check_;

/* Returns 1 when `fd` is a qcow2 that refers to no other file, 0 when it is not a qcow2,
 * -1 when it refers to other files or cannot be read; `path` is for the message. The
 * offset of `fd` stays. */
int qcow2_check(int fd, const char *path, struct err *e) _must_check_;
