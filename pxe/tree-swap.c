/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of collected files keep their owner and mode, because `rackstrap serve`
 * gives the reports to the servers' user. A folder whose owner this process cannot give
 * to the new one stays empty in it, and the old one is renamed over it after the swap. A
 * server that writes to a log goes on with the same file, whichever tree has its name.
 *
 * An old tree may belong to another user, and everybody who may write to the folder that
 * the trees are in can put one there: no symlink in a tree is followed.
 */
#include "pxe/tree-swap.h"

#include "lib/dir.h"
#include "lib/durable.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"
#include "pxe/tree.h"

static const char *const collected[] = {TREE_REPORTS, "run"};

bool tree_is(const char *dir)
{
	_cleanup_free_ char *info = xasprintf("%s/" TREE_INFO, dir);

	return access(info, F_OK) == 0;
}

/* Checks that the reports' folder may be written to: `rackstrap serve` gives it to the
 * servers' user. */
int tree_swap_check(const char *dir, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_REPORTS, dir);

	if (access(path, W_OK) == 0 || errno == ENOENT)
		return 0;
	return err_errno(e, errno,
			 "%s: the old tree's reports cannot be moved to the new one (run "
			 "this as its owner or as root)",
			 path);
}

/* --- before the swap --------------------------------------------------------------- */

/* Gives the folder `to` owner and mode of `from`. Returns 1, 0 when that is not allowed,
 * or -errno. */
static int copy_owner(int from, int to)
{
	struct stat a, b;

	if (fstat(from, &a) < 0 || fstat(to, &b) < 0)
		return -errno;
	if ((a.st_uid != b.st_uid || a.st_gid != b.st_gid) &&
	    fchown(to, a.st_uid, a.st_gid) < 0)
		return errno == EPERM ? 0 : -errno;
	return fchmod(to, a.st_mode & 07777) < 0 ? -errno : 1;
}

/* Links a regular file. Where links do not work it is moved after the swap. */
static int link_file(int from, int to, const char *name)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode) || linkat(from, name, to, name, 0) == 0)
		return 0;
	switch (errno) {
	case ENOENT: /* replaced by a newer report just now */
	case EEXIST:
	case EPERM:
	case EMLINK:
	case EXDEV:
	case EOPNOTSUPP:
		return 0;
	default:
		return -errno;
	}
}

static int link_folder(int old, int new, const char *path, struct err *e)
{
	_cleanup_close_ int from = dir_open_nofollow_at(old, path),
			    to = dir_open_nofollow_at(new, path);
	_cleanup_strv_ char **names = NULL;
	int r;

	if (from == -ENOENT)
		return 0;
	if (from < 0 || to < 0)
		return err_errno(e, from < 0 ? from : to, "%s", path);
	r = copy_owner(from, to);
	if (r > 0)
		r = dir_names_at(from, ".", &names);
	for (size_t i = 0; r == 0 && names && names[i]; i++)
		r = link_file(from, to, names[i]);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

int tree_swap_link(int old, int new, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(collected); i++)
		if (link_folder(old, new, collected[i], e) < 0)
			return -1;
	return 0;
}

/* --- after the swap ---------------------------------------------------------------- */

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Returns true when the old tree's file came later than the new tree's file of that name:
 * it is another one, and not older. A host chooses its report's modification time, which
 * counts only where the file system has no better one. */
static bool is_later(int from, int to, const char *name)
{
	struct timespec born_a, born_b;
	struct stat a, b;

	if (fstatat(from, name, &a, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(to, name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (!S_ISREG(a.st_mode) || !S_ISREG(b.st_mode) ||
	    (a.st_dev == b.st_dev && a.st_ino == b.st_ino))
		return false;
	if (file_birth_at(from, name, &born_a) == 0 &&
	    file_birth_at(to, name, &born_b) == 0)
		return is_before(&born_b, &born_a);
	return is_before(&b.st_mtim, &a.st_mtim);
}

/* Renames a file that the folder `to` does not have, else fails with EEXIST. File systems
 * that cannot do that in one step have no flags. */
static int rename_new(int from, int to, const char *name)
{
	struct stat st;

	if (renameat2(from, name, to, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from, name, to, name);
}

/* Moves the files of `path` from the old tree into the new one, which has some of them.
 */
static int merge(int old, int new, const char *path, struct err *e)
{
	_cleanup_close_ int from = dir_open_nofollow_at(old, path),
			    to = dir_open_nofollow_at(new, path);
	_cleanup_strv_ char **names = NULL;
	int r;

	if (from < 0 || to < 0)
		return err_errno(e, from < 0 ? from : to, "%s", path);
	r = dir_names_at(from, ".", &names);
	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		r = is_later(from, to, names[i]) ? renameat(from, names[i], to, names[i])
						 : rename_new(from, to, names[i]);
		if (r < 0)
			r = errno == EEXIST ? 0 : -errno;
	}
	if (r == 0 && fsync(to) < 0)
		r = -errno;
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

/* Moves a folder of the old tree to the new one. The new one's own is empty when nothing
 * could be linked. */
static int move_folder(int old, int new, const char *path, struct err *e)
{
	_cleanup_free_ char *above = NULL;
	const char *name;
	int r = path_split(path, &above, &name);
	_cleanup_close_ int from = r < 0 ? r : dir_open_nofollow_at(old, above);
	_cleanup_close_ int to = r < 0 ? r : dir_open_nofollow_at(new, above);
	struct stat st;

	if (from == -ENOENT)
		return 0;
	if (from < 0 || to < 0)
		return err_errno(e, from < 0 ? from : to, "%s", path);
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", path);
	r = S_ISDIR(st.st_mode) ? durable_rename_at(from, name, to, name) : -ENOTDIR;
	if (r == -ENOTEMPTY || r == -EEXIST)
		return merge(old, new, path, e);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

static int move_collected(const char *old, const char *new, struct err *e)
{
	_cleanup_close_ int from =
		open(old, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int to =
		open(new, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (from < 0 || to < 0)
		return err_errno(e, errno, "%s", from < 0 ? old : new);
	for (size_t i = 0; i < ARRAY_SIZE(collected); i++)
		if (move_folder(from, to, collected[i], e) < 0)
			return -1;
	return 0;
}

/* Returns the name that the old tree may have during the swap (file_exchange). Owned by
 * the caller. */
static char *aside_path(const char *dir)
{
	const char *slash = strrchr(dir, '/');
	const char *name = slash ? slash + 1 : dir;

	return xasprintf("%.*s.%s.old", (int)(name - dir), dir, name);
}

int tree_swap_recover(const char *dir, bool *exists, struct err *e)
{
	_cleanup_free_ char *aside = aside_path(dir);
	struct stat st;
	int r = scratch_aside_check(aside, &st, e);

	if (r <= 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_FAILED, "%s: is a symbolic link: remove it", aside);
	if (!tree_is(aside))
		return 0;
	if (!tree_is(dir)) {
		*exists = true;
		r = durable_rename_at(AT_FDCWD, aside, AT_FDCWD, dir);
		return r < 0 ? err_errno(e, r, "%s", dir) : 0;
	}
	if (move_collected(aside, dir, e) < 0)
		return err_wrap(e, "reports and logs are still in %s", aside);
	rm_rf_at(AT_FDCWD, aside);
	return 0;
}

int tree_swap_publish(struct scratch *s, const char *dir, struct err *e)
{
	_cleanup_free_ char *aside = aside_path(dir), *new = NULL;
	const char *slash = strrchr(dir, '/');
	int r = scratch_publish(s, dir, aside);

	if (r < 0)
		return err_set(e, ERR_FAILED, "%s: %s", dir, scratch_strerror(r));
	if (r == 0)
		return 0;
	new = scratch_beside(s, slash ? slash + 1 : dir);
	if (move_collected(s->inside, new, e) == 0)
		return 0;
	err_wrap(e, "rendered, but reports and logs are still in %s", s->path);
	scratch_keep(s);
	return -1;
}

int tree_rescue(const char *left, const char *dir)
{
	bool exists = false;
	struct err e = {0};

	if (tree_swap_recover(dir, &exists, &e) < 0 ||
	    (tree_is(left) && tree_is(dir) && move_collected(left, dir, &e) < 0)) {
		log_warn("boot tree %s: %s", dir, e.msg);
		return -EIO;
	}
	return 0;
}
