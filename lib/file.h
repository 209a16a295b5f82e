/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, relative to a directory fd (AT_FDCWD and a path as usual), replaced
 * whole or not at all.
 */
#pragma once

#include "lib/cleanup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Reads a whole regular file (pipes and /proc files too) of at most `max` bytes.
 * *ret is owned by the caller and NUL-terminated; *ret_len may be NULL.
 * 0, or -errno; -EFBIG when larger than max.
 */
int file_read_at(int dirfd, const char *path, size_t max, char **ret,
		 size_t *ret_len) _must_check_;

/*
 * Replaces `path` atomically: a temporary in the same directory (O_EXCL,
 * O_NOFOLLOW, O_CLOEXEC), write, fchmod, fsync, renameat, fsync of the directory.
 * The parent directory must exist. 0 or -errno; on failure nothing is left behind.
 */
int file_write_at(int dirfd, const char *path, const void *data, size_t len,
		  mode_t mode) _must_check_;

/* Whether `path` is a regular file with exactly these bytes and this mode. */
bool file_is_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode);

/*
 * As file_write_at, but leaves a file alone that already has these bytes and this
 * mode. Returns 1 when it wrote, 0 when nothing had to be done, -errno.
 */
int file_update_at(int dirfd, const char *path, const void *data, size_t len,
		   mode_t mode) _must_check_;

/* Makes a symlink in place of what is there, atomically. 1, 0 as it was, -errno. */
int file_symlink_at(int dirfd, const char *path, const char *target) _must_check_;

/*
 * What has the names `a` and `b` changes places, at once. On file systems that cannot do
 * that, `b` is called `aside` meanwhile: who finds something there was killed, and it is
 * what was `b`. 0, or -errno with both as they were; -ENOENT when either is absent.
 */
int file_exchange(const char *a, const char *b, const char *aside) _must_check_;

/* Removes a file if there is one, syncs its directory. 1 removed, 0 absent, -errno. */
int file_remove_at(int dirfd, const char *path) _must_check_;

/* mkdir -p: `mode` less the umask. Existing directories keep theirs. */
int mkdir_p_at(int dirfd, const char *path, mode_t mode) _must_check_;

/* As mkdir_p_at, and every directory it made is on the disk when it returns. */
int mkdir_p_sync_at(int dirfd, const char *path, mode_t mode) _must_check_;

/*
 * Removes what file_write_at or file_symlink_at of `path` left when they were killed:
 * ".NAME.<random>" beside it. The number removed (its directory may be absent), -errno.
 */
int file_sweep_at(int dirfd, const char *path) _must_check_;

/*
 * rm -rf; never follows a symlink, never leaves the file system of `path`. Absent is 0.
 * Goes on after an error and returns the first; -ELOOP for a tree over 512 levels deep.
 */
int rm_rf_at(int dirfd, const char *path);

/* write(2) until all is written; waits where a non-blocking descriptor is full. */
int write_all(int fd, const void *data, size_t len) _must_check_;

/* Copies fd to fd to the end (copy_file_range, else read and write). */
int copy_fd(int from, int to) _must_check_;

/* fsync of the directory that holds `path`. */
int fsync_parent_at(int dirfd, const char *path) _must_check_;

/* A path that is removed (rm -rf) and freed when it leaves scope, unless taken. */
void rm_rf_p(char **path);
#define _cleanup_rm_rf_ _cleanup_(rm_rf_p)

/* Whether it is a directory that can be read and has nothing in it. */
bool dir_is_empty(const char *path);

/* "DIR/NAME.<random>" made as a directory, mode 0700; owned by the caller. -errno. */
int tempdir_make(const char *dir, const char *name, char **ret) _must_check_;
