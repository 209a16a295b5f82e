/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file's first bytes say of it as a qcow2. A qcow2 can name other files, a backing
 * file or one that has its data, and whoever reads the image reads those: an image that
 * came from elsewhere could have any file of this machine's copied into a disk.
 *
 * The format is docs/interop/qcow2.txt of QEMU.
 */
#pragma once

#include "lib/err.h"

/* 1 when `fd` is a qcow2 that stands alone, 0 when it is none. -1 when it refers to other
 * files, or cannot be read; `path` is for the message. The offset of `fd` stays. */
int qcow2_check(int fd, const char *path, struct err *e) _must_check_;
