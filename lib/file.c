/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is replaced by renaming a complete, synced temporary file over it, so that after
 * a power cut at any instant either the old file or the new one exists. A killed program
 * may leave its temporary file, ".NAME.<random>", which no program here reads.
 *
 * The parent directory is opened once and everything else is relative to that fd. The
 * path of the parent may contain symlinks, which may lead anywhere (lib/root.h has paths
 * that stay below a root); the last component is never followed.
 */
#include "lib/file.h"

#include "lib/dir.h"
#include "lib/file-parts.h"
#include "lib/str.h"

#include <limits.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>

#define COPY_CHUNK (32 * 1024)

char *file_beside(const char *path, const char *name)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (name[0] == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s%s", (int)(slash + 1 - path), path, name);
}

int path_split(const char *path, char **dir, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!**name || streq(*name, ".") || streq(*name, ".."))
		return -EINVAL;
	if (!slash)
		*dir = xstrdup(".");
	else if (slash == path)
		*dir = xstrdup("/");
	else
		*dir = xstrndup(path, (size_t)(slash - path));
	return 0;
}

/* Opens the directory that contains `path` and points *name at the last component within
 * `path`. Returns the descriptor or -errno. */
static int open_parent(int dirfd, const char *path, const char **name)
{
	_cleanup_free_ char *dir = NULL;
	int r = path_split(path, &dir, name);

	return r < 0 ? r : open_at(dirfd, dir, O_RDONLY | O_DIRECTORY, 0);
}

int fsync_dir(int fd)
{
	if (fsync(fd) < 0 && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

#define TEMP_LEN     (NAME_MAX + 1)
#define TEMP_LETTERS "abcdefghijklmnopqrstuvwxyz012345"
#define TEMP_RANDOM  10

/* Writes ".NAME.<random>" to `out`, with NAME cut to fit into NAME_MAX. */
static int temp_name(const char *name, char out[static TEMP_LEN])
{
	static const char letters[] = TEMP_LETTERS;
	uint8_t bytes[TEMP_RANDOM];
	char end[sizeof(bytes) + 1] = "";

	/* Without GRND_NONBLOCK it blocks early in a boot, for minutes before Linux 5.4.
	 * The name need not be secret, because O_EXCL is used, only new. */
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes)) {
		struct timespec t;
		uint64_t x;

		clock_gettime(CLOCK_MONOTONIC, &t);
		x = ((uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec) ^
		    (uint64_t)getpid() << 32;
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(x >> 5 * i);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		end[i] = letters[bytes[i] % 32];
	snprintf(out, TEMP_LEN, ".%.*s.%s", (int)(NAME_MAX - sizeof(bytes) - 2), name,
		 end);
	return 0;
}

int file_read_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *p = NULL;
	size_t len = 0, cap = 4096;
	struct stat st;

	if (max > SSIZE_MAX - 2)
		max = SSIZE_MAX - 2;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		if ((uint64_t)st.st_size > max)
			return -EFBIG;
		cap = (size_t)st.st_size + 2; /* one byte to detect the end, one NUL */
	}
	p = xmalloc(cap);
	for (;;) {
		ssize_t n;

		if (len + 1 >= cap) {
			cap = cap > max / 2 ? max + 2 : cap * 2;
			p = xrealloc(p, cap);
		}
		n = read(fd, p + len, cap - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	p[len] = '\0';
	*ret = TAKE_PTR(p);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open_at(dirfd, path, O_RDONLY, 0);

	return fd < 0 ? fd : file_read_fd(fd, max, ret, ret_len);
}

/* Opens a regular file. O_NONBLOCK has no effect on one, but keeps open(2) from waiting
 * for the other end of a pipe. */
static int open_regular(int dirfd, const char *path, int flags)
{
	_cleanup_close_ int fd = open_at(dirfd, path, O_RDONLY | O_NONBLOCK | flags, 0);
	struct stat st;

	if (fd < 0)
		return fd == -ENXIO ? -EINVAL
				    : fd; /* a socket, or a device without driver */
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

int file_open_regular_at(int dirfd, const char *path)
{
	return open_regular(dirfd, path, 0);
}

int file_open_foreign_at(int dirfd, const char *path)
{
	return open_regular(dirfd, path, O_NOFOLLOW);
}

int file_read_regular_at(int dirfd, const char *path, size_t max, char **ret,
			 size_t *ret_len)
{
	_cleanup_close_ int fd = file_open_regular_at(dirfd, path);

	return fd < 0 ? fd : file_read_fd(fd, max, ret, ret_len);
}

int file_read_foreign_at(int dirfd, const char *path, size_t max, char **ret,
			 size_t *ret_len)
{
	_cleanup_close_ int fd = file_open_foreign_at(dirfd, path);

	return fd < 0 ? fd : file_read_fd(fd, max, ret, ret_len);
}

const char *file_strerror(int r)
{
	switch (-r) {
	case EINVAL:
		return "is not a regular file";
	case ELOOP:
		return "is a symbolic link";
	default:
		return strerror(-r);
	}
}

static int write_and_sync(int fd, const void *data, size_t len, mode_t mode)
{
	int r = write_all(fd, data, len);

	if (r < 0)
		return r;
	if (fchmod(fd, mode & 07777) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* Writes `data` to a temporary file for `name` in `dir` and its name to `temp`. Returns 0
 * or -errno. */
static int write_temp(int dir, const char *name, const void *data, size_t len,
		      mode_t mode, char temp[static TEMP_LEN])
{
	_cleanup_close_ int fd = -1;
	int r;

	do {
		r = temp_name(name, temp);
		if (r < 0)
			return r;
		fd = open_at(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	} while (fd == -EEXIST);
	if (fd < 0)
		return fd;
	r = write_and_sync(fd, data, len, mode);
	/* Network file systems report a full disk only when the file is closed. */
	if (close(TAKE_FD(fd)) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temp, 0);
	return r;
}

/* Renames the temporary file to `name`, or removes it on failure. Returns 0 or -errno. */
static int rename_temp(int dir, const char *temp, const char *name)
{
	if (renameat(dir, temp, dir, name) < 0) {
		int r = -errno;

		unlinkat(dir, temp, 0);
		return r;
	}
	return fsync_dir(dir);
}

int file_write_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	char temp[TEMP_LEN];
	const char *name;
	_cleanup_close_ int dir = open_parent(dirfd, path, &name);
	int r;

	if (dir < 0)
		return dir;
	r = write_temp(dir, name, data, len, mode, temp);
	return r < 0 ? r : rename_temp(dir, temp, name);
}

bool file_is_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_close_ int fd =
		open_at(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	_cleanup_free_ char *old = NULL;
	struct stat st;
	size_t old_len;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 07777) != (mode & 07777) || (uint64_t)st.st_size != len)
		return false;
	return file_read_fd(fd, len, &old, &old_len) == 0 && old_len == len &&
	       (len == 0 || memcmp(old, data, len) == 0);
}

int file_update_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	int r;

	if (file_is_at(dirfd, path, data, len, mode))
		return 0;
	r = file_write_at(dirfd, path, data, len, mode);
	return r < 0 ? r : 1;
}

static bool is_link_to(int dir, const char *name, const char *target)
{
	char old[PATH_MAX];
	ssize_t n = readlinkat(dir, name, old, sizeof(old));

	return n >= 0 && (size_t)n == strlen(target) &&
	       memcmp(old, target, (size_t)n) == 0;
}

int file_symlink_at(int dirfd, const char *path, const char *target)
{
	char temp[TEMP_LEN];
	const char *name;
	_cleanup_close_ int dir = open_parent(dirfd, path, &name);
	int r;

	if (dir < 0)
		return dir;
	if (is_link_to(dir, name, target))
		return 0;
	do {
		r = temp_name(name, temp);
		if (r < 0)
			return r;
		r = symlinkat(target, dir, temp) < 0 ? -errno : 0;
	} while (r == -EEXIST);
	if (r == 0)
		r = rename_temp(dir, temp, name);
	return r < 0 ? r : 1;
}

int file_exchange(const char *a, const char *b, const char *aside)
{
	int r;

	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return 0;
	if ((errno != EINVAL && errno != ENOSYS) || rename(b, aside) < 0)
		return -errno;
	if (rename(a, b) < 0) {
		r = -errno;
		(void)!rename(aside, b);
		return r;
	}
	return rename(aside, a) < 0 ? -errno : 0;
}

int file_remove_at(int dirfd, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(dirfd, path, &name);
	int r;

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return dir;
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fsync_dir(dir);
	return r < 0 ? r : 1;
}

bool file_is_temporary(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] == '.' && dot > name + 1 && strlen(dot + 1) == TEMP_RANDOM &&
	       dot[1 + strspn(dot + 1, TEMP_LETTERS)] == '\0';
}

/* Returns true when temp_name may have made `entry` for `name`. */
static bool is_temp(const char *entry, const char *name)
{
	int len, max = NAME_MAX - TEMP_RANDOM - 2;
	char stem[TEMP_LEN];

	len = snprintf(stem, sizeof(stem), ".%.*s.", max, name);
	return strncmp(entry, stem, (size_t)len) == 0 &&
	       strlen(entry + len) == TEMP_RANDOM &&
	       entry[len + (int)strspn(entry + len, TEMP_LETTERS)] == '\0';
}

int file_sweep_at(int dirfd, const char *path)
{
	const char *name;
	_cleanup_close_ int fd = open_parent(dirfd, path, &name);
	_cleanup_strv_ char **names = NULL;
	int removed = 0, r;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	r = fd < 0 ? fd : dir_names_at(fd, ".", &names);
	if (r < 0)
		return r;
	for (size_t i = 0; names && names[i]; i++) {
		if (!is_temp(names[i], name))
			continue;
		if (unlinkat(fd, names[i], 0) < 0 && errno != ENOENT)
			return -errno;
		removed++;
	}
	r = removed ? fsync_dir(fd) : 0;
	return r < 0 ? r : removed;
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n >= 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			/* Another process made the terminal or pipe non-blocking. */
			struct pollfd pfd = {.fd = fd, .events = POLLOUT};

			if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
				return -errno;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int copy_fd(int from, int to)
{
	char chunk[COPY_CHUNK];
	ssize_t n;

	/* Stops at the end of the file, or where copy_file_range does not work (between
	 * file systems, pipes, old kernels, and /proc, where it returns 0). read(2) below
	 * copies the rest. */
	do
		n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG))
		return -errno;

	for (;;) {
		int r;

		n = read(from, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = write_all(to, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
}

int fsync_parent_at(int dirfd, const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);
	size_t len = strlen(copy);
	_cleanup_close_ int dir = -1;
	const char *name;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	dir = open_parent(dirfd, copy, &name);
	return dir < 0 ? dir : fsync_dir(dir);
}

bool file_is_trusted(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

bool file_is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int file_birth_at(int dirfd, const char *path, struct timespec *ret)
{
	struct statx x;

	if (statx(dirfd, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &x) < 0)
		return -errno;
	if (!(x.stx_mask & STATX_BTIME))
		return -ENODATA;
	*ret = (struct timespec){.tv_sec = x.stx_btime.tv_sec,
				 .tv_nsec = x.stx_btime.tv_nsec};
	return 0;
}
