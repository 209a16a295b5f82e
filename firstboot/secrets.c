/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is found and opened before the first change. Owners and modes are changed
 * through the open files, so that no name is followed twice.
 *
 * Limit: the bytes are not compared with anything, because host.cfg has no digest of
 * them, from which a short secret could be guessed.
 */
#include "firstboot/secrets.h"
#include "firstboot/accounts.h"
#include "firstboot/model/secret-entry.h"
#include "lib/file.h"
#include "lib/root.h"

struct target {
	struct secret_entry entry;
	uid_t uid;
	gid_t gid;
	int fd;
};

struct targets {
	struct target v[SECRETS_MAX];
	size_t n;
};

static void targets_done(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		close(t->v[i].fd);
}
#define _cleanup_targets_ _cleanup_(targets_done)

static int find_owner(const struct accounts *a, struct target *t, const char *where,
		      struct diag *d)
{
	const struct secret_entry *entry = &t->entry;

	if (accounts_user(a, entry->user, &t->uid, &t->gid) < 0)
		return diag_add(d, "%s: '%s': this image has no user '%s' in /etc/passwd",
				where, entry->name, entry->user);
	if (entry->group[0] && accounts_group(a, entry->group, &t->gid) < 0)
		return diag_add(d, "%s: '%s': this image has no group '%s' in /etc/group",
				where, entry->name, entry->group);
	return 0;
}

/* Opens a regular file in the folder, without following a link or waiting for a pipe.
 * Returns the descriptor or -errno. */
static int open_file(int dir, const char *name)
{
	_cleanup_close_ int fd =
		dir < 0 ? dir : root_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fd == -ENXIO ? -EINVAL : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

/* Does the same with complaints. Returns the descriptor or -1. */
static int open_secret(int dir, const char *name, const char *where, struct diag *d)
{
	int fd = open_file(dir, name);

	if (fd == -ENOENT)
		diag_add(d,
			 "%s: '%s' did not come with this boot: boot the host again "
			 "from the boot server, with `rackstrap pxe` of a rack file "
			 "that has the secret",
			 where, name);
	else if (fd < 0)
		diag_add(d, "%s: /" SECRETS_DIR "/%s: %s", where, name,
			 file_strerror(fd));
	return fd < 0 ? -1 : fd;
}

/* Opens the file of every entry, and finds its owner. `dir` is the folder, or the
 * -errno of opening it. Returns 0, or -1 with all complaints. */
static int find_targets(struct targets *ret, int rootfd, int dir, char *const *entries,
			const char *where, struct diag *d)
{
	_cleanup_accounts_ struct accounts a = {0};
	int r = 0;

	accounts_read(&a, rootfd);
	for (size_t i = 0; entries && entries[i] && i < SECRETS_MAX; i++) {
		struct target *t = &ret->v[ret->n];
		const char *wrong = secret_entry_parse(entries[i], &t->entry);

		if (wrong) {
			r = diag_add(d, "%s: '%s' %s", where, entries[i], wrong);
			continue;
		}
		if (find_owner(&a, t, where, d) < 0)
			r = -1;
		t->fd = open_secret(dir, t->entry.name, where, d);
		if (t->fd < 0)
			r = -1;
		else
			ret->n++;
	}
	return r;
}

static int open_folder(int rootfd)
{
	return root_open(rootfd, SECRETS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

int secrets_check(const struct firstboot *fb, const struct host *h, struct diag *d)
{
	_cleanup_close_ int dir = open_folder(fb->rootfd);
	_cleanup_targets_ struct targets t = {.n = 0};
	_cleanup_free_ char *prefix = NULL;
	char where[512];

	prefix = xasprintf("%s: secrets",
			   host_where(h, HOST_SECRETS, where, sizeof(where)));
	return find_targets(&t, fb->rootfd, dir, h->secrets, prefix, d);
}

/* --- the step --------------------------------------------------------------------- */

/* Removes what is not among the secrets, as those that an earlier configuration had.
 * Returns the number, or -errno. */
static int remove_others(int dir, const struct targets *t)
{
	_cleanup_strv_ char **names = NULL;
	int r = root_names(dir, ".", &names), removed = 0;

	for (size_t i = 0; r >= 0 && names && names[i]; i++) {
		bool ours = false;

		for (size_t k = 0; k < t->n; k++)
			ours = ours || streq(names[i], t->v[k].entry.name);
		if (ours)
			continue;
		r = root_remove(dir, names[i]);
		if (r == -EISDIR)
			r = root_remove_dir(dir, names[i]);
		removed += r > 0;
	}
	return r < 0 ? r : removed;
}

/* Sets owner and mode. Between two owners only the file's owner may read it. Returns 1
 * when something was changed, 0, or -errno. */
static int give(const struct target *t)
{
	struct stat st;
	bool owned;

	if (fstat(t->fd, &st) < 0)
		return -errno;
	owned = st.st_uid == t->uid && st.st_gid == t->gid;
	if (owned && (st.st_mode & 07777) == t->entry.mode)
		return 0;
	if (!owned && (fchmod(t->fd, 0400) < 0 || fchown(t->fd, t->uid, t->gid) < 0))
		return -errno;
	return fchmod(t->fd, t->entry.mode) < 0 ? -errno : 1;
}

/* Lets users enter the folder, but not list it, when it has secrets. */
static int open_to_users(int dir, bool has_secrets)
{
	mode_t mode = has_secrets ? 0711 : 0700;
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	if ((st.st_mode & 07777) == mode)
		return 0;
	return fchmod(dir, mode) < 0 ? -errno : 1;
}

static int apply(int dir, const struct targets *t, struct err *e)
{
	int changed = remove_others(dir, t), r;

	if (changed < 0)
		return err_errno(e, changed, "/" SECRETS_DIR);
	for (size_t i = 0; i < t->n; i++) {
		r = give(&t->v[i]);
		if (r < 0)
			return err_errno(e, r, "/" SECRETS_DIR "/%s", t->v[i].entry.name);
		changed += r;
	}
	r = open_to_users(dir, t->n > 0);
	return r < 0 ? err_errno(e, r, "/" SECRETS_DIR) : changed + r;
}

int secrets_apply(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_close_ int dir = open_folder(fb->rootfd);
	_cleanup_targets_ struct targets t = {.n = 0};
	_cleanup_diag_ struct diag d = {0};

	if (dir < 0 && dir != -ENOENT)
		return root_err(e, dir, fb->rootfd, SECRETS_DIR);
	if (find_targets(&t, fb->rootfd, dir, p->secrets, "secrets", &d) < 0)
		return diag_err(&d, e);
	return dir < 0 ? 0 : apply(dir, &t, e);
}
