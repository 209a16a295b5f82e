/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record is complete and synced before the folder is made, and locked until the
 * folder is: a sweep leaves a locked record alone, and drops one that is not locked and
 * has no folder. A sweep may lock a record or a folder just before its maker does. The
 * maker notices that and takes another ID.
 */
#include "lib/scratch.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/scratch-parts.h"
#include "lib/str.h"

#include <limits.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#define RECORD_MAX (4U * PATH_MAX)

/* --- names ------------------------------------------------------------------------- */

static bool is_id(const char *s)
{
	return strlen(s) == SCRATCH_ID_LEN && s[strspn(s, SCRATCH_LETTERS)] == '\0';
}

bool scratch_is_named(const char *name, const char *of)
{
	const char *rest = str_after(name, of);

	rest = rest ? str_after(rest, SCRATCH_MARK) : NULL;
	return rest && is_id(rest);
}

/* --- records ----------------------------------------------------------------------- */

static void host_name(struct utsname *u)
{
	if (uname(u) < 0)
		strcpy(u->nodename, "?");
}

/* Returns the text of a record; owned. */
static char *format_record(const char *path, const char *target)
{
	struct buf b = {0};
	struct utsname host;

	host_name(&host);
	buf_printf(&b, "scratch 1\nhost %s\npath %s\n", host.nodename, path);
	if (target)
		buf_printf(&b, "target %s\n", target);
	buf_puts(&b, "end\n");
	return buf_take(&b);
}

/* Locks the file. Returns 0, -EAGAIN when somebody else has locked or removed it, or
 * another -errno. */
static int lock_file(int fd)
{
	struct stat st;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return -EAGAIN;
		if (errno != EINTR)
			return -errno;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_nlink > 0 ? 0 : -EAGAIN;
}

/* Makes the folder of records, which is the user's own; folders above it need not be. */
static int make_records(const char *path)
{
	_cleanup_free_ char *parent = NULL;
	const char *name;
	int r = path_split(path, &parent, &name);

	if (r == 0)
		r = mkdir_p_at(AT_FDCWD, parent, 0755);
	if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
		r = -errno;
	return r;
}

int scratch_record_create(const char *records, const char *id, const char *path,
			  const char *target)
{
	_cleanup_free_ char *text = format_record(path, target);
	_cleanup_free_ char *record = xasprintf("%s/%s", records, id);
	_cleanup_close_ int fd = -1;
	int r = make_records(records);

	if (r == 0 && (strchr(path, '\n') || (target && strchr(target, '\n'))))
		r = -EINVAL;
	if (r < 0)
		return r;
	fd = open(record, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? -EAGAIN : -errno;
	r = lock_file(fd);
	if (r == -EAGAIN)
		return r;
	if (r == 0)
		r = write_all(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = fsync_parent_at(AT_FDCWD, record);
	if (r < 0)
		unlink(record);
	return r < 0 ? r : TAKE_FD(fd);
}

struct record {
	char *host, *path, *target; /* target may be NULL */
};

static void record_done(struct record *r)
{
	free(r->host);
	free(r->path);
	free(r->target);
}
#define _cleanup_record_ _cleanup_(record_done)

/* Returns true when `path` is absolute and its last component is a scratch folder with
 * this ID. */
static bool is_scratch_path(const char *path, const char *id)
{
	const char *name = strrchr(path, '/');
	size_t len = name ? strlen(name) : 0, end = strlen(SCRATCH_MARK) + SCRATCH_ID_LEN;

	return path[0] == '/' && len > end && str_after(name + len - end, SCRATCH_MARK) &&
	       streq(name + len - SCRATCH_ID_LEN, id);
}

/* Reads the record `id` from `fd`. Returns false when it is not one, or damaged. */
static bool record_read(struct record *ret, int fd, const char *id)
{
	static const char *const keys[] = {"host ", "path ", "target "};
	char **const values[] = {&ret->host, &ret->path, &ret->target};
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd), *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	size_t n, at = 1;

	*ret = (struct record){0};
	if (file_read_regular_at(AT_FDCWD, path, RECORD_MAX, &text, NULL) < 0)
		return false;
	lines = strv_split(text, "\n");
	n = strv_len(lines);
	if (n < 4 || !str_ends(text, "\nend\n") || !streq(lines[0], "scratch 1"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(keys) && at < n; i++) {
		const char *value = str_after(lines[at], keys[i]);

		if (!value)
			continue;
		*values[i] = xstrdup(value);
		at++;
	}
	return at == n - 1 && ret->host && ret->path && is_scratch_path(ret->path, id);
}

/* --- sweeping ---------------------------------------------------------------------- */

/* Returns true when a lock on this file system may be invisible to other machines. */
static bool is_shared(int fd)
{
	static const long magics[] = {
		NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,   SMB2_SUPER_MAGIC,
		CIFS_SUPER_MAGIC, CEPH_SUPER_MAGIC,  AFS_SUPER_MAGIC,
		AFS_FS_MAGIC,     FUSE_SUPER_MAGIC,  V9FS_MAGIC,
		CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC, 0x01161970, /* GFS2 */
		0x0bd00bd0,                                      /* Lustre */
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if ((unsigned long)fs.f_type == (unsigned long)magics[i])
			return true;
	return false;
}

/* Returns true for a folder of another user in a folder that everybody may write to: ours
 * is gone, and its name was taken again. */
static bool is_strange(const char *path, const struct stat *st)
{
	_cleanup_free_ char *parent = NULL;
	struct stat above;
	const char *name;

	return st->st_uid != geteuid() &&
	       (path_split(path, &parent, &name) < 0 || stat(parent, &above) < 0 ||
		(above.st_mode & S_IWOTH));
}

/* Returns 1 with *ret_fd, the locked folder, when its process is dead, 0 when it lives or
 * may live, or -errno: -ENOENT when there is no folder. */
static int lock_dead(const struct record *r, int *ret_fd)
{
	_cleanup_close_ int fd =
		open(r->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct utsname host;
	struct stat st;

	host_name(&host);
	/* Another machine may have a folder of that name where this one has none. */
	if (!streq(r->host, host.nodename) && (fd < 0 || is_shared(fd)))
		return 0;
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	if (fstat(fd, &st) < 0 || st.st_nlink == 0 || is_strange(r->path, &st))
		return -ENOENT;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

/* Removes what the record names. Returns true when the record is of no use any more. */
static bool sweep_one(const struct record *r, scratch_remover *remover)
{
	_cleanup_close_ int lock = -1;
	int n = lock_dead(r, &lock);

	if (n == 0)
		return false;
	/* scratch_publish() may exchange the folder with a file or a link. */
	if (n == -ENOTDIR || n == -ELOOP)
		n = unlink(r->path) < 0 && errno != ENOENT ? -errno : -ENOENT;
	if (n > 0) {
		log_debug("removing what a killed process left: %s", r->path);
		n = remover(r->path, r->target);
	}
	if (n < 0 && n != -ENOENT)
		log_warn("%s was left by a process that was killed, and cannot be "
			 "removed: %s",
			 r->path, strerror(-n));
	return n >= 0 || n == -ENOENT;
}

/* Returns true when nobody else can have written to the file or folder: a record of
 * another user would name what this one then removes. */
static bool is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && file_is_private(&st);
}

/* Sweeps the record `id`. One that is locked is being made, or swept by another
 * process. */
static void sweep_record(int dir, const char *id, scratch_remover *remover)
{
	_cleanup_record_ struct record r = {0};
	_cleanup_close_ int fd =
		openat(dir, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || !is_private(fd) || lock_file(fd) < 0)
		return;
	if (!record_read(&r, fd, id) || sweep_one(&r, remover))
		unlinkat(dir, id, 0);
}

void scratch_sweep(const char *records, scratch_remover *remover)
{
	_cleanup_close_ int dir = open(records, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;

	if (dir < 0 || !is_private(dir) || dir_names_at(dir, ".", &names) < 0)
		return;
	for (size_t i = 0; names && names[i]; i++)
		if (is_id(names[i]))
			sweep_record(dir, names[i], remover);
}

int scratch_remove_named(int dirfd, const char *path, const char *of)
{
	_cleanup_close_ int dir = -1;
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r;

	dir = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : dir_names_at(dir, ".", &names);
	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		if (!scratch_is_named(names[i], of) ||
		    fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !file_is_trusted(&st))
			continue;
		log_debug("removing the folder of a killed process: %s/%s", path,
			  names[i]);
		rm_rf_at(dir, names[i]);
	}
	return r;
}
