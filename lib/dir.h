/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and lists directories. dir_names_at() is the only reader of directories, so that
 * an error of readdir(3) is never taken for the end of the directory.
 */
#pragma once

#include "lib/err.h"

/*
 * Opens the directory `path` (relative to `dirfd`) component by component. None of them
 * may be a symlink: this is for directories that somebody else may have made. ".." is not
 * handled. Returns the descriptor, or -errno: -ENOTDIR for a symlink.
 */
int dir_open_nofollow_at(int dirfd, const char *path) _must_check_;

/*
 * Sets *ret to the names in the directory `path` (relative to `dirfd`, links followed),
 * sorted by strcmp(), without "." and "..". *ret is a list of lib/str.h that the caller
 * owns, NULL for an empty directory. Returns 0, or -errno with *ret unchanged.
 */
int dir_names_at(int dirfd, const char *path, char ***ret) _must_check_;

/*
 * Checks the name of a folder that is to be made or replaced. Returns 0, or -1 with `e`
 * set if it is a symlink to a place where nothing is, or, with `own`, a symlink of
 * another user than this one and root, who can change where it leads.
 */
int dir_check_link(const char *path, bool own, struct err *e) _must_check_;
