/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a root: the directory of a descriptor is the top of the tree, as after
 * chroot(2). Absolute paths and symlinks begin there and ".." leads no higher, so that no
 * path leads out of it, whatever symlinks it has and whoever changes them meanwhile. If
 * the root is the machine's own "/", paths lead to the files that they always lead to;
 * only the links to open files in /proc/PID must not be used.
 *
 * root_open() is the only function that resolves a path of more than one component; all
 * others use it. Those that read follow a symlink at the end of the path. Those that
 * write, remove or rename do not, and refuse a path that ends in "/", "." or ".."
 * (-EINVAL). They return 0 or -errno unless something else is said here, -ELOOP when a
 * path has more than 40 symlinks.
 */
#pragma once

#include "lib/err.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Opens a path (open(2)), with O_CLOEXEC and O_NOCTTY. `flags` must not have O_CREAT.
 * Returns the descriptor or -errno. */
int root_open(int rootfd, const char *path, int flags) _must_check_;

/* Opens the directory that contains the last component of `path` for reading and sets
 * *name to that component, which is part of `path`. Returns the descriptor or -errno. */
int root_open_parent(int rootfd, const char *path, const char **name) _must_check_;

/* Reads the attributes of what a path leads to. `flags`: 0 or AT_SYMLINK_NOFOLLOW. */
int root_stat(int rootfd, const char *path, int flags, struct stat *ret) _must_check_;
/* Returns 0 when the path leads to something, or -errno. */
int root_access(int rootfd, const char *path) _must_check_;
/* Sets *ret to the text of the symlink, owned by the caller; -EINVAL when it is none. */
int root_readlink(int rootfd, const char *path, char **ret) _must_check_;
/* Does what dir_names_at() does (lib/dir.h). */
int root_names(int rootfd, const char *path, char ***ret) _must_check_;
/* Opens a regular file for reading, and never waits for a pipe or terminal. Returns the
 * descriptor or -errno, -EINVAL for anything else (file_strerror() explains it). */
int root_open_regular(int rootfd, const char *path) _must_check_;
/* Reads what that opens, as file_read_at() does (lib/file.h). */
int root_read(int rootfd, const char *path, size_t max, char **ret,
	      size_t *ret_len) _must_check_;

/* Do what the functions of lib/file.h do. */
bool root_file_is(int rootfd, const char *path, const void *data, size_t len,
		  mode_t mode);
int root_write(int rootfd, const char *path, const void *data, size_t len,
	       mode_t mode) _must_check_;
int root_update(int rootfd, const char *path, const void *data, size_t len,
		mode_t mode) _must_check_;
int root_remove(int rootfd, const char *path) _must_check_;
int root_sweep(int rootfd, const char *path) _must_check_;

/* Renames `path` to `name` in the same directory and syncs that. */
int root_rename(int rootfd, const char *path, const char *name) _must_check_;
/* Removes a directory if it is empty, and syncs the one that contains it. Returns 1; 0
 * when it is absent, not empty, or not a directory; or -errno. */
int root_remove_dir(int rootfd, const char *path) _must_check_;
/* Makes a directory and its parents with `mode` less the umask, and syncs what contains a
 * new one. Existing directories, and symlinks to them, keep their mode. */
int root_mkdir_p(int rootfd, const char *path, mode_t mode) _must_check_;
/* Changes the mode of a directory, to which `path` may be a symlink. */
int root_chmod_dir(int rootfd, const char *path, mode_t mode) _must_check_;

/* Sets an error about a path, as err_errno() does. For -ENOENT it names the symlink in
 * the path that leads nowhere, if there is one. Returns -1. */
int root_err(struct err *e, int r, int rootfd, const char *path);
