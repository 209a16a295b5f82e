/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path is resolved to the descriptor of the directory that contains its last component,
 * and the work is done by the functions of lib/file.h with that component alone, which
 * they do not follow.
 */
#include "lib/root.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/str.h"

#include <limits.h>

int root_stat(int rootfd, const char *path, int flags, struct stat *ret)
{
	_cleanup_close_ int fd = root_open(
		rootfd, path, O_PATH | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int root_access(int rootfd, const char *path)
{
	struct stat st;

	return root_stat(rootfd, path, 0, &st);
}

int root_readlink(int rootfd, const char *path, char **ret)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);
	char target[PATH_MAX];
	ssize_t n;

	if (dir < 0)
		return dir;
	n = readlinkat(dir, name, target, sizeof(target));
	if (n < 0)
		return -errno;
	*ret = xstrndup(target, (size_t)n);
	return 0;
}

int root_names(int rootfd, const char *path, char ***ret)
{
	_cleanup_close_ int dir = root_open(rootfd, path, O_RDONLY | O_DIRECTORY);

	return dir < 0 ? dir : dir_names_at(dir, ".", ret);
}

int root_open_regular(int rootfd, const char *path)
{
	_cleanup_close_ int fd = root_open(rootfd, path, O_RDONLY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fd == -ENXIO ? -EINVAL : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

int root_read(int rootfd, const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = root_open_regular(rootfd, path);

	return fd < 0 ? fd : file_read_fd(fd, max, ret, ret_len);
}

bool root_file_is(int rootfd, const char *path, const void *data, size_t len, mode_t mode)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);

	return dir >= 0 && file_is_at(dir, name, data, len, mode);
}

int root_write(int rootfd, const char *path, const void *data, size_t len, mode_t mode)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);

	return dir < 0 ? dir : file_write_at(dir, name, data, len, mode);
}

int root_update(int rootfd, const char *path, const void *data, size_t len, mode_t mode)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);

	return dir < 0 ? dir : file_update_at(dir, name, data, len, mode);
}

int root_remove(int rootfd, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	return file_remove_at(dir, name);
}

int root_sweep(int rootfd, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
	return file_sweep_at(dir, name);
}

int root_rename(int rootfd, const char *path, const char *name)
{
	const char *old;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &old);

	if (dir < 0)
		return dir;
	return renameat(dir, old, dir, name) < 0 ? -errno : fsync_dir(dir);
}

int root_remove_dir(int rootfd, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);
	int r;

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ENOTEMPTY ||
				       errno == EEXIST
			       ? 0
			       : -errno;
	r = fsync_dir(dir);
	return r < 0 ? r : 1;
}

static int make_dir(int rootfd, const char *path, mode_t mode)
{
	const char *name;
	_cleanup_close_ int dir = root_open_parent(rootfd, path, &name);

	if (dir < 0)
		return dir;
	return mkdirat(dir, name, mode) < 0 ? -errno : fsync_dir(dir);
}

/* Makes one directory unless there is one. */
static int ensure_dir(int rootfd, const char *path, mode_t mode)
{
	struct stat st;
	int r = root_stat(rootfd, path, 0, &st);

	if (r == -ENOENT) {
		r = make_dir(rootfd, path, mode);
		if (r != -EEXIST)
			return r;
		/* Somebody else has made it, or it is a symlink to nowhere. */
		r = root_stat(rootfd, path, 0, &st);
	}
	return r < 0 || S_ISDIR(st.st_mode) ? r : -ENOTDIR;
}

int root_mkdir_p(int rootfd, const char *path, mode_t mode)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *p = copy + strspn(copy, "/");

	if (!*path)
		return -ENOENT;
	while (*p) {
		char *end = p + strcspn(p, "/"), after = *end;
		int r;

		*end = '\0';
		r = ensure_dir(rootfd, copy, mode);
		if (r < 0)
			return r;
		*end = after;
		p = end + strspn(end, "/");
	}
	return 0;
}

int root_chmod_dir(int rootfd, const char *path, mode_t mode)
{
	_cleanup_close_ int fd = root_open(rootfd, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

/* Returns the first part of the path that is a symlink to nowhere, owned by the caller,
 * and sets *target, or returns NULL. */
static char *find_dangling(int rootfd, const char *path, char **target)
{
	for (const char *p = path; *p;) {
		const char *end = p + strspn(p, "/");
		_cleanup_free_ char *part = NULL;

		end += strcspn(end, "/");
		part = xstrndup(path, (size_t)(end - path));
		if (root_access(rootfd, part) == -ENOENT)
			return root_readlink(rootfd, part, target) < 0 ? NULL
								       : TAKE_PTR(part);
		p = end;
	}
	return NULL;
}

int root_err(struct err *e, int r, int rootfd, const char *path)
{
	_cleanup_free_ char *link = NULL, *target = NULL;

	path += strspn(path, "/");
	if (r == -ENOENT)
		link = find_dangling(rootfd, path, &target);
	if (!link)
		return err_errno(e, r, "/%s", path);
	return err_set(e, ERR_FAILED,
		       "/%s: /%s is a symlink to '%s', which does not exist below the "
		       "root",
		       path, link, target);
}
