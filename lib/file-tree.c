/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes directories.
 *
 * Limits: rm_rf_at keeps one descriptor per level open and stops at TREE_DEPTH_MAX
 * levels.
 */
#include "lib/file.h"

#include "lib/dir.h"
#include "lib/file-parts.h"
#include "lib/str.h"

#define TREE_DEPTH_MAX 512

static int mkdir_one(int dirfd, const char *path, mode_t mode)
{
	struct stat st;

	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* A symlink to a directory is accepted. */
	if (fstatat(dirfd, path, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int mkdir_p_at(int dirfd, const char *path, mode_t mode)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *p = copy + strspn(copy, "/");

	if (!*path)
		return -ENOENT;
	while (*p) {
		size_t n = strcspn(p, "/");
		char after = p[n];
		int r;

		p[n] = '\0';
		r = mkdir_one(dirfd, copy, mode);
		if (r < 0)
			return r;
		p[n] = after;
		p += n;
		p += strspn(p, "/");
	}
	return 0;
}

static int remove_entry(int dir, const char *name, dev_t dev, unsigned depth);

/* Removes everything in the directory `fd`. Continues after an error. Returns 0 or the
 * first -errno. */
static int remove_inside(int fd, dev_t dev, unsigned depth)
{
	_cleanup_strv_ char **names = NULL;
	int first = dir_names_at(fd, ".", &names);

	for (size_t i = 0; names && names[i]; i++) {
		int r = remove_entry(fd, names[i], dev, depth);

		if (first == 0)
			first = r;
	}
	return first;
}

static int remove_dir(int dir, const char *name, dev_t dev, unsigned depth)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR)
		return -EPERM; /* it is a file that may not be removed */
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	if (depth >= TREE_DEPTH_MAX)
		return -ELOOP;
	fd = open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (depth > 0 && st.st_dev != dev)
		return -EXDEV;
	/* Unpacked trees contain directories that their owner cannot write to. */
	if ((st.st_mode & S_IRWXU) != S_IRWXU && fchmod(fd, S_IRWXU) < 0 &&
	    errno != EPERM)
		return -errno;
	r = remove_inside(fd, st.st_dev, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_entry(int dir, const char *name, dev_t dev, unsigned depth)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* For a directory Linux returns EISDIR, POSIX EPERM, which may have other
	 * causes. */
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	return remove_dir(dir, name, dev, depth);
}

int rm_rf_at(int dirfd, const char *path)
{
	return remove_entry(dirfd, path, 0, 0);
}

void rm_rf_p(char **path)
{
	int saved = errno;

	if (*path) {
		rm_rf_at(AT_FDCWD, *path);
		free(*path);
	}
	errno = saved;
}

bool dir_is_empty(const char *path)
{
	_cleanup_strv_ char **names = NULL;

	return dir_names_at(AT_FDCWD, path, &names) == 0 && !names;
}
