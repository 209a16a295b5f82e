/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a FAT file system that other programs have written: mtools(1) exits with 0 when
 * the last of its writes fail.
 */
#pragma once

#include "builder/common/tool.h"

/*
 * Checks the FAT of `size` bytes at byte `offset` of the file `image` with fsck.fat(8),
 * which gets a copy in the folder `dir`. Returns 0 when it is sound, or -1; then
 * *ret_faults, unless it is NULL, is true when the error has the first faults that
 * fsck.fat has found, and false when the check was not possible.
 */
int fat_check(const char *image, uint64_t offset, uint64_t size, const char *dir,
	      bool *ret_faults, struct err *e) _must_check_;
