/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completing a file that was written under a temporary name: first its data reaches the
 * disk, then it gets its final name, then the name reaches the disk. These are the only
 * renames of the product apart from lib/file.c (test/lint/style.sh has the exceptions).
 */
#pragma once

#include "lib/cleanup.h"

/*
 * Syncs and closes *fd, which becomes -1. Network file systems report a full disk only in
 * one of the two. Returns 0 or -errno.
 */
int durable_close(int *fd) _must_check_;

/* Renames and syncs the directory of the new name. The file is synced already. Returns 0
 * or -errno. */
int durable_rename_at(int old_dirfd, const char *old, int new_dirfd,
		      const char *new) _must_check_;
