/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File operations. Paths are relative to a directory fd, as for openat(2): symlinks and
 * ".." may lead out of that directory. lib/root.h has paths that stay in it. A file is
 * replaced as a whole or not at all.
 */
#pragma once

#include "lib/cleanup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Reads a whole file of at most `max` bytes; pipes and /proc files work too, so that this
 * is for the kernel's files and those that the operator names. *ret is owned by the
 * caller and NUL-terminated; `ret_len` may be NULL. Returns 0 or -errno, -EFBIG when the
 * file is larger.
 */
int file_read_at(int dirfd, const char *path, size_t max, char **ret,
		 size_t *ret_len) _must_check_;

/* Does what file_read_at() does with an open file, from its present position. */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_len) _must_check_;

/*
 * Open and read a regular file, and never wait for a pipe or a terminal.
 *
 * The functions with "regular" in their names follow a symlink: they are for files that
 * the operator names. Those with "foreign" do not: they are for files in a directory that
 * somebody else may write to or has made, such as reports, images and media. `path`
 * should then be one name in the directory `dirfd`, as symlinks before it are followed.
 *
 * Return the descriptor (read-only, O_CLOEXEC and O_NONBLOCK) or 0, or -errno: -EINVAL
 * for anything but a regular file, -ELOOP for a symlink. file_strerror() explains both.
 */
int file_open_regular_at(int dirfd, const char *path) _must_check_;
int file_open_foreign_at(int dirfd, const char *path) _must_check_;
int file_read_regular_at(int dirfd, const char *path, size_t max, char **ret,
			 size_t *ret_len) _must_check_;
int file_read_foreign_at(int dirfd, const char *path, size_t max, char **ret,
			 size_t *ret_len) _must_check_;

/* Returns the text for an error of the functions above, as strerror(3) does. */
const char *file_strerror(int r);

/*
 * Replaces `path` atomically: writes and syncs a temporary file in the same directory,
 * renames it, and syncs the directory, which must exist. Returns 0 or -errno; on failure
 * no temporary file is left.
 */
int file_write_at(int dirfd, const char *path, const void *data, size_t len,
		  mode_t mode) _must_check_;

/* Returns true when `path` is a regular file with exactly these bytes and this mode. */
bool file_is_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode);

/*
 * Does what file_write_at does, unless the file already has these bytes and this mode.
 * Returns 1 when it was written, 0 when it was as wanted, -errno.
 */
int file_update_at(int dirfd, const char *path, const void *data, size_t len,
		   mode_t mode) _must_check_;

/* Replaces `path` atomically by a symlink to `target`. Returns 1, 0 when it was one
 * already, or -errno. */
int file_symlink_at(int dirfd, const char *path, const char *target) _must_check_;

/*
 * Exchanges the files or directories named `a` and `b` atomically. File systems that
 * cannot do that need three renames, with `b` renamed to `aside` for a moment: if the
 * process is killed in between, `aside` holds the old `b`. Returns 0, or -errno with both
 * unchanged; -ENOENT when either is absent.
 */
int file_exchange(const char *a, const char *b, const char *aside) _must_check_;

/* Removes a file and syncs its directory. Returns 1, 0 when there is no such file, or
 * -errno. */
int file_remove_at(int dirfd, const char *path) _must_check_;

/* Makes a directory and its parents (mkdir -p) with `mode` less the umask. Existing
 * directories keep their mode. Returns 0 or -errno. */
int mkdir_p_at(int dirfd, const char *path, mode_t mode) _must_check_;

/*
 * Removes temporary files ".NAME.<random>" beside `path` that a killed file_write_at or
 * file_symlink_at left. Returns their number, 0 when the directory is absent, or -errno.
 */
int file_sweep_at(int dirfd, const char *path) _must_check_;
/* Returns true when `name` is like that of such a temporary file. */
bool file_is_temporary(const char *name);

/*
 * Removes `path` and everything below it (rm -rf). Never follows a symlink and never
 * leaves the file system of `path`. Continues after an error. Returns 0, also when `path`
 * is absent, or the first -errno; -ELOOP for a tree of more than 512 levels.
 */
int rm_rf_at(int dirfd, const char *path);

/* Splits a path before its last component: *dir, owned by the caller, is what it is
 * relative to ("." or "/" at least), *name points into `path`. Returns 0, or -EINVAL when
 * the last component is empty, "." or "..". */
int path_split(const char *path, char **dir, const char **name) _must_check_;

/* Returns the path of `name`, which is relative to the folder of the file `path`; NULL:
 * of a file in the working directory. Owned by the caller. */
char *file_beside(const char *path, const char *name);

/* Writes all `len` bytes; waits when a non-blocking descriptor is full. Returns 0 or
 * -errno. */
int write_all(int fd, const void *data, size_t len) _must_check_;

/* Copies `from` to `to` until its end (copy_file_range, else read and write). Returns 0
 * or -errno. */
int copy_fd(int from, int to) _must_check_;

/* Syncs a directory; a file system that cannot do this is no error. Returns 0 or
 * -errno. */
int fsync_dir(int fd) _must_check_;

/* Syncs the directory that contains `path`. Returns 0 or -errno. */
int fsync_parent_at(int dirfd, const char *path) _must_check_;

/* Removes *path (rm -rf) and frees the string; for _cleanup_rm_rf_. */
void rm_rf_p(char **path);
#define _cleanup_rm_rf_ _cleanup_(rm_rf_p)

/* Sets *ret to the birth time of a file (statx(2)), which nobody can set. Links are not
 * followed. Returns 0, or -errno: -ENODATA when the file system has none. */
int file_birth_at(int dirfd, const char *path, struct timespec *ret) _must_check_;

/* Returns true when a file with these attributes belongs to this user or to root. */
bool file_is_trusted(const struct stat *st);

/* Returns true when the file belongs to this user and nobody else may write to it. */
bool file_is_private(const struct stat *st);

/* Returns true when `path` is a readable directory without entries. */
bool dir_is_empty(const char *path);
