/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole directory is read before the caller acts on it: a caller that removes or
 * renames entries cannot disturb the reading, and the order is the same on every file
 * system.
 */
#include "lib/dir.h"

#include "lib/file.h"
#include "lib/str.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

/* open(2) gives EINTR on slow file systems. */
static int open_dir(int dirfd, const char *path, int flags)
{
	int fd;

	flags |= O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY;
	do
		fd = openat(dirfd, path, flags);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int dir_open_nofollow_at(int dirfd, const char *path)
{
	_cleanup_close_ int dir = open_dir(dirfd, *path == '/' ? "/" : ".", 0);

	for (const char *at = path; dir >= 0 && *(at += strspn(at, "/"));) {
		size_t n = strcspn(at, "/");
		_cleanup_free_ char *name = xstrndup(at, n);
		int next = open_dir(dir, name, O_NOFOLLOW);

		close(dir);
		dir = next;
		at += n;
	}
	return dir < 0 ? dir : TAKE_FD(dir);
}

int dir_names_at(int dirfd, const char *path, char ***ret)
{
	_cleanup_strv_builder_ struct strv_builder names = {0};
	_cleanup_closedir_ DIR *d = NULL;
	_cleanup_close_ int fd = open_dir(dirfd, path, 0);
	const struct dirent *entry;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	fd = -1; /* closedir() closes it */
	while ((errno = 0, entry = readdir(d)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			strv_builder_add(&names, entry->d_name);
	if (errno)
		return -errno;
	strv_sort(names.v);
	*ret = strv_builder_take(&names);
	return 0;
}

int dir_check_link(const char *path, bool own, struct err *e)
{
	_cleanup_free_ char *link = xstrdup(path), *target = xcalloc(1, PATH_MAX + 1);
	size_t len = strlen(link);
	struct stat st;

	while (len > 1 && link[len - 1] == '/')
		link[--len] = '\0';
	if (lstat(link, &st) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	if (own && !file_is_trusted(&st))
		return err_set(e, ERR_FAILED,
			       "%s: is a link of another user (uid %u): name the folder "
			       "itself",
			       path, (unsigned)st.st_uid);
	if (access(path, F_OK) == 0 || errno != ENOENT ||
	    readlink(link, target, PATH_MAX) < 0)
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s: is a link to %s, which does not exist: remove the link, or "
		       "make that folder",
		       path, target);
}
