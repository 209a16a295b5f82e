/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes, publishes and removes a scratch folder. The record is complete and synced before
 * the folder is made, and locked until the folder is.
 */
#include "lib/scratch.h"

#include "lib/dir.h"
#include "lib/durable.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/scratch-parts.h"
#include "lib/str.h"

#include <limits.h>
#include <sys/file.h>
#include <sys/random.h>

#define MAKE_TRIES 100

/* --- making ------------------------------------------------------------------------ */

static int make_id(char out[static SCRATCH_ID_LEN + 1])
{
	uint8_t bytes[SCRATCH_ID_LEN];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -errno;
	for (size_t i = 0; i < SCRATCH_ID_LEN; i++)
		out[i] = SCRATCH_LETTERS[bytes[i] % 32];
	out[SCRATCH_ID_LEN] = '\0';
	return 0;
}

/* Opens the folder and locks it. Returns the descriptor, -EAGAIN when a sweep has it or
 * has removed it, or another -errno. */
static int lock_folder(const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	while (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return -EAGAIN;
		if (errno != EINTR)
			return -errno;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_nlink == 0 ? -EAGAIN : TAKE_FD(fd);
}

/* Returns true for an empty folder of this user's that nobody else may write to. */
static bool is_own_folder(int fd)
{
	_cleanup_strv_ char **names = NULL;
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	       dir_names_at(fd, ".", &names) == 0 && !names;
}

/* Returns true when other users can rename what is in the folder or in one above it. */
static bool is_open_to_others(const char *real)
{
	_cleanup_free_ char *path = xstrdup(real);
	struct stat st;

	for (;;) {
		char *slash = strrchr(path, '/');

		if (lstat(*path ? path : "/", &st) < 0 ||
		    (st.st_uid != 0 && st.st_uid != geteuid()) ||
		    ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX)))
			return true;
		if (!slash)
			return false;
		*slash = '\0';
	}
}

/* Returns true when the path is that of the open folder. */
static bool is_at(int fd, const char *path)
{
	struct stat open, there;

	return fstat(fd, &open) == 0 && lstat(path, &there) == 0 &&
	       open.st_ino == there.st_ino && open.st_dev == there.st_dev;
}

/* Returns a path to the folder that the descriptor has open, for child processes, too. In
 * a process namespace without a /proc of its own it is for this process only. Owned. */
static char *proc_path(int fd)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/fd/%d/.", (int)getpid(), fd);

	return is_at(fd, path) ? TAKE_PTR(path) : xasprintf("/proc/self/fd/%d/.", fd);
}

/* Keeps PARENT, which `dir` has open, if others can rename in it or in a folder above.
 * Returns 0 or -errno. */
static int hold_parent(struct scratch *s, int dir, const char *real)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *path = NULL;

	if (!is_open_to_others(real) && is_at(dir, real))
		return 0;
	fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	path = proc_path(fd);
	if (!is_at(fd, path))
		return -ENOSYS;
	s->parent = TAKE_FD(fd);
	return 0;
}

char *scratch_beside(const struct scratch *s, const char *name)
{
	_cleanup_free_ char *parent =
		s->parent >= 0
			? proc_path(s->parent)
			: xstrndup(s->path, (size_t)(strrchr(s->path, '/') - s->path));

	return xasprintf("%s/%s", parent, name);
}

/* Makes and locks the folder s->path. Returns 0, -EAGAIN when another name must be tried,
 * or another -errno. */
static int make_folder(struct scratch *s)
{
	_cleanup_free_ char *path = scratch_beside(s, strrchr(s->path, '/') + 1);
	int fd;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? -EAGAIN : -errno;
	fd = lock_folder(path);
	/* Somebody may have been quicker to put another folder there. */
	if (fd >= 0 && s->parent >= 0 && !is_own_folder(fd)) {
		close(fd);
		return -ESTALE;
	}
	if (fd < 0 && fd != -EAGAIN)
		rmdir(path);
	if (fd < 0)
		return fd;
	s->lock = fd;
	s->inside = s->parent >= 0 ? proc_path(fd) : xstrdup(s->path);
	return 0;
}

/* Makes record and folder with this ID; returns as make_folder(). Without a record only a
 * kill leaves something, so that a failure to write it is no error. */
static int try_id(struct scratch *s, const char *records, const char *id,
		  const char *target)
{
	_cleanup_close_ int record =
		records ? scratch_record_create(records, id, s->path, target) : -ENOENT;
	int r;

	if (record == -EAGAIN)
		return -EAGAIN;
	if (records && record < 0)
		log_debug("%s cannot be recorded in %s: %s", s->path, records,
			  strerror(-record));
	if (record >= 0)
		s->record = xasprintf("%s/%s", records, id);
	r = make_folder(s);
	if (r < 0 && s->record)
		unlink(s->record);
	return r;
}

/* Returns the absolute path of an open folder, which was opened as `path`. Owned. */
static char *path_of(int fd, const char *path)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd);
	char real[PATH_MAX];
	ssize_t n = readlink(link, real, sizeof(real) - 1);

	if (n <= 0 || real[0] != '/')
		return realpath(path, NULL);
	real[n] = '\0';
	return xstrdup(real);
}

int scratch_make(struct scratch *ret, const char *records, const char *parent,
		 const char *name, const char *target, struct err *e)
{
	/* The path is followed once: another user may change it meanwhile. */
	_cleanup_close_ int dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *real = dir < 0 ? NULL : path_of(dir, parent);
	char id[SCRATCH_ID_LEN + 1];
	int r = -EAGAIN;

	if (!real)
		return err_errno(e, errno, "%s", parent);
	for (unsigned i = 0; i < MAKE_TRIES && r == -EAGAIN; i++) {
		struct scratch s = SCRATCH_INIT;

		r = make_id(id);
		if (r < 0)
			break;
		s.path = xasprintf("%s%s%s" SCRATCH_MARK "%s", real,
				   str_ends(real, "/") ? "" : "/", name, id);
		r = hold_parent(&s, dir, real);
		if (r == 0)
			r = try_id(&s, records, id, target);
		if (r == 0) {
			*ret = s;
			return 0;
		}
		free(s.record);
		free(s.path);
		if (s.parent >= 0)
			close(s.parent);
	}
	if (r == -ENOSYS)
		return err_set(
			e, ERR_FAILED,
			"%s: other users can rename what is in it, and there is no "
			"/proc: name a folder of your own, or mount /proc",
			parent);
	if (r == -ESTALE)
		return err_set(e, ERR_FAILED,
			       "%s: a new folder in it was exchanged by another user, or "
			       "does not belong to this user: name another folder",
			       parent);
	return err_errno(e, r, "cannot make a folder in %s", parent);
}

/* --- moving and removing ----------------------------------------------------------- */

static void forget(struct scratch *s)
{
	if (s->record)
		unlink(s->record);
	if (s->lock >= 0)
		close(s->lock);
	if (s->parent >= 0)
		close(s->parent);
	free(s->record);
	free(s->inside);
	free(s->path);
	*s = (struct scratch)SCRATCH_INIT;
}

/* Returns the path of a file beside the folder, given by its path or name. Owned. */
static char *beside_of(const struct scratch *s, const char *path)
{
	const char *slash = strrchr(path, '/');

	return s->parent >= 0 ? scratch_beside(s, slash ? slash + 1 : path)
			      : xstrdup(path);
}

int scratch_publish(struct scratch *s, const char *target, const char *aside)
{
	_cleanup_free_ char *from = beside_of(s, s->path), *to = beside_of(s, target),
			    *away = beside_of(s, aside);
	/* The old folder is locked before it gets the scratch folder's name, so that no
	 * sweep removes it. A process that has locked it may also do so. */
	_cleanup_close_ int old =
		open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (old >= 0)
		(void)flock(old, LOCK_SH | LOCK_NB);

	if (!is_at(s->lock, from))
		return -ESTALE;
	r = file_exchange(from, to, away);
	if (r == -ENOENT) {
		r = durable_rename_at(AT_FDCWD, from, AT_FDCWD, to);
		if (r == 0)
			forget(s);
		return r;
	}
	if (r < 0)
		return r;
	close(s->lock);
	s->lock = TAKE_FD(old);
	free(s->inside);
	s->inside = s->parent >= 0 && s->lock >= 0 ? proc_path(s->lock) : xstrdup(from);
	/* The exchange is done, and s->path is the old folder: this is no error. */
	r = fsync_parent_at(AT_FDCWD, to);
	if (r < 0)
		log_warn("%s: its new name may not be on the disk yet: %s", target,
			 strerror(-r));
	return 1;
}

const char *scratch_strerror(int r)
{
	return r == -ESTALE ? "another user exchanged the new folder before it had this "
			      "name"
			    : strerror(-r);
}

void scratch_keep(struct scratch *s)
{
	free(TAKE_PTR(s->record));
	forget(s);
}

int scratch_remove(struct scratch *s)
{
	_cleanup_free_ char *path = s->path ? beside_of(s, s->path) : NULL;
	struct stat st;
	int r = 0;

	if (path && lstat(path, &st) < 0 && errno == ENOENT) {
		/* Its maker has removed it. */
	} else if (path && s->lock >= 0 && !is_at(s->lock, path)) {
		log_warn("%s: another folder was put in its place; what rackstrap made "
			 "there was renamed and is left behind",
			 s->path);
		r = -ESTALE;
	} else if (path && s->lock < 0 && s->parent >= 0) {
		/* A file or link that was exchanged. */
		r = unlink(path) < 0 ? -errno : 0;
	} else if (path) {
		r = rm_rf_at(AT_FDCWD, path);
	}
	if (r < 0)
		scratch_keep(s);
	else
		forget(s);
	return r;
}

void scratch_done(struct scratch *s)
{
	int saved = errno;

	scratch_remove(s);
	errno = saved;
}

int scratch_aside_check(const char *aside, struct stat *ret, struct err *e)
{
	if (lstat(aside, ret) < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", aside);
	if (file_is_trusted(ret))
		return 1;
	return err_set(e, ERR_FAILED,
		       "%s: belongs to another user (uid %u): remove it, or chown it if "
		       "it is what a killed rackstrap left",
		       aside, (unsigned)ret->st_uid);
}
