/* SPDX-License-Identifier: Apache-2.0 */
/* Locks on files by flock(2). */
#pragma once

#include "lib/err.h"

/* Calls flock(2) again after each signal. Returns 0 or -errno. */
int flock_retry(int fd, int operation) _must_check_;

/*
 * Opens the file `path`, created if missing, and waits for an exclusive lock on it. When
 * it has to wait, it logs that once, with `holder` ("another build of bookworm"). Closing
 * *ret_fd unlocks the file; the file stays.
 */
int lock_file_at(int dirfd, const char *path, const char *holder, int *ret_fd,
		 struct err *e) _must_check_;
