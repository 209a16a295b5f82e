/* SPDX-License-Identifier: Apache-2.0 */
/* A partition table in an image file, by sfdisk(8), or fdisk(8) for other sectors. */
#pragma once

#include "builder/common/disk-layout.h"
#include "builder/common/tool.h"

extern const struct tool gpt_tools[]; /* NULL-terminated */

/* Writes the GPT of `l` into `image`, which has its size already; GUIDs come from
 * `sha256` (disk_guid). Its other bytes stay. `dir` is for what it needs meanwhile. */
int gpt_write(const char *image, const struct disk_layout *l, const char *sha256,
	      const char *dir, struct err *e) _must_check_;
