/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the partition table of a disk image with libfdisk. */
#pragma once

#include "builder/common/disk-layout.h"

/*
 * Writes the GPT of `l` into the file `image`, which has its final size already. The
 * GUIDs are derived from `sha256` (disk_guid). The MBR's boot code and all bytes outside
 * of the two tables stay as they are.
 */
int gpt_write(const char *image, const struct disk_layout *l, const char *sha256,
	      struct err *e) _must_check_;
