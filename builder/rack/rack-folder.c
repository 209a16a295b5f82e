/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in the folder are created and deleted by their paths. Whoever owns the folder, or
 * a link to it, can lead these elsewhere, so another user's is refused.
 *
 * Limit: the owner of a folder above can exchange this one while a rack runs.
 */
#include "builder/rack/rack-folder.h"

#include "builder/common/foreign.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/str.h"
#include "pxe/tree.h"

#include <sys/file.h>
#include <time.h>

#define SHARED_STEPS 2000 /* of 5 ms */

/* Locks the file. `rackstrap ssh` shares the lock for a moment, to see if a rack has it:
 * that is waited for. Returns 0, or -1 with errno. */
static int lock_alone(int fd)
{
	const struct timespec step = {.tv_nsec = 5 * 1000000};

	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == SHARED_STEPS ||
		    flock(fd, LOCK_SH | LOCK_NB) < 0)
			return -1;
		flock(fd, LOCK_UN);
		nanosleep(&step, NULL);
	}
	return 0;
}

static int lock_folder(const char *dir, int *ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/run/lock", dir);
	_cleanup_close_ int fd =
		open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	if (lock_alone(fd) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_FAILED,
					 "%s: another rack runs in this folder (name "
					 "another with --dir)",
					 dir)
			       : err_errno(e, errno, "%s", path);
	*ret = TAKE_FD(fd);
	return 0;
}

/* Refuses a non-empty folder without run/lock: files in it are deleted later. */
static int check_folder(const char *dir, struct err *e)
{
	_cleanup_free_ char *lock = xasprintf("%s/run/lock", dir);
	struct stat st;

	if (dir_check_link(dir, true, e) < 0)
		return -1;
	if (stat(dir, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", dir);
	if (!file_is_trusted(&st) || !foreign_can_use(dir))
		return err_set(e, ERR_FAILED,
			       "%s: belongs to another user (uid %u): run this as that "
			       "user, or name another folder with --dir",
			       dir, (unsigned)st.st_uid);
	if (access(lock, F_OK) == 0 || dir_is_empty(dir))
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s exists and is not the folder of a rack: name another with "
		       "--dir",
		       dir);
}

/* Removes temporary files that a killed rack has left in the folder, which is locked. */
static void sweep_folder(const char *path)
{
	_cleanup_strv_ char **names = NULL;

	if (dir_names_at(AT_FDCWD, path, &names) < 0)
		return;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, names[i]);

		if (file_is_temporary(names[i]))
			unlink(file);
	}
}

int rack_folder_open(const char *dir, bool fresh, int *ret_lock, struct err *e)
{
	static const char *const folders[] = {"run", "log", "disk"};
	_cleanup_free_ char *reports = xasprintf("%s/tree/" TREE_REPORTS, dir);
	_cleanup_free_ char *disks = xasprintf("%s/disk", dir);
	_cleanup_free_ char *pid_file = xasprintf("%s/" RACK_PID_FILE, dir);
	_cleanup_close_ int lock = -1;
	int r;

	if (check_folder(dir, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, folders[i]);

		r = mkdir_p_at(AT_FDCWD, path, 0755);
		if (r < 0)
			return err_errno(e, r, "%s", path);
		if (i == 0 && lock_folder(dir, &lock, e) < 0)
			return -1;
		if (fresh && streq(path, disks) && (r = rm_rf_at(AT_FDCWD, disks)) == 0)
			r = mkdir_p_at(AT_FDCWD, disks, 0755);
		if (r < 0)
			return err_errno(e, r, "%s", path);
		sweep_folder(path);
	}
	/* A killed rack has left it, and its process id may be another's by now. */
	if (unlink(pid_file) < 0 && errno != ENOENT)
		return err_errno(e, errno, "%s", pid_file);
	r = rm_rf_at(AT_FDCWD, reports);
	if (r < 0)
		return err_errno(e, r, "%s", reports);
	*ret_lock = TAKE_FD(lock);
	return 0;
}
