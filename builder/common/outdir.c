/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock is a file beside the folders (OUT/.NAME.lock). It is never removed: otherwise
 * two builds could hold locks on two files of the same name.
 */
#include "builder/common/outdir.h"

#include "builder/common/lock-file.h"
#include "lib/dir.h"
#include "lib/durable.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

/* Returns the name of the old image during a swap that is not atomic. */
static char *aside_path(const struct outdir *o)
{
	return xasprintf("%s/.%s.old", o->parent, o->name);
}

/* Removes the scratch folders of killed builds that have no record. No other build has
 * one, because we hold the lock. */
static int remove_stale(const struct outdir *o, const char *scratch, struct err *e)
{
	int r = scratch_remove_named(AT_FDCWD, o->parent, scratch);

	return r < 0 ? err_errno(e, r, "%s", o->parent) : 0;
}

static int lock_name(struct outdir *o, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/.%s.lock", o->parent, o->name);
	_cleanup_free_ char *what =
		xasprintf("another build of %s/%s", o->parent, o->name);

	return lock_file_at(AT_FDCWD, path, what, &o->lock, e);
}

static bool is_image(const char *path)
{
	_cleanup_free_ char *manifest = xasprintf("%s/manifest.json", path);

	return access(manifest, F_OK) == 0;
}

/* Refuses to replace a folder that is not an image: the recipe's own folder may have this
 * name. A symlink may be replaced, because only the link itself is lost. */
int outdir_check(const char *out, const char *name, struct err *e)
{
	_cleanup_free_ char *final = xasprintf("%s/%s", out, name);
	struct stat st;

	if (lstat(final, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", final);
	if (S_ISLNK(st.st_mode) || is_image(final) || dir_is_empty(final))
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s exists and is not an image: name another folder with --output",
		       final);
}

/* Renames an old image back if a build was killed in the middle of a swap. When the new
 * image was in place already, removes the old one. */
static int restore_aside(const struct outdir *o, struct err *e)
{
	_cleanup_free_ char *final = xasprintf("%s/%s", o->parent, o->name);
	_cleanup_free_ char *aside = aside_path(o);
	struct stat st;
	int r = scratch_aside_check(aside, &st, e);

	if (r <= 0)
		return r;
	if (is_image(final)) {
		rm_rf_at(AT_FDCWD, aside);
		return 0;
	}
	log_debug("restoring the image that a killed build had renamed: %s", final);
	r = durable_rename_at(AT_FDCWD, aside, AT_FDCWD, final);
	return r < 0 ? err_errno(e, r, "%s cannot be renamed back to %s", aside, final)
		     : 0;
}

int outdir_begin(struct outdir *ret, const char *out, const char *name, struct err *e)
{
	_cleanup_outdir_ struct outdir o = OUTDIR_INIT;
	_cleanup_free_ char *scratch = xasprintf(".%s", name), *beside = NULL;
	int r;

	o.parent = xstrdup(out);
	o.name = xstrdup(name);
	if (dir_check_link(out, false, e) < 0)
		return -1;
	r = mkdir_p_at(AT_FDCWD, out, 0755);
	if (r < 0)
		return err_errno(e, r, "%s", out);
	if (lock_name(&o, e) < 0 || outdir_check(out, name, e) < 0 ||
	    restore_aside(&o, e) < 0 || remove_stale(&o, scratch, e) < 0 ||
	    leftovers_make(&o.scratch, out, scratch, e) < 0)
		return -1;
	/* Another user may have put another folder in the place of `out`. */
	beside = scratch_beside(&o.scratch, ".");
	if (outdir_check(beside, name, e) < 0)
		return -1;
	o.fd = open(o.scratch.inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o.fd < 0)
		return err_errno(e, errno, "%s", o.scratch.path);
	*ret = o;
	o = (struct outdir)OUTDIR_INIT;
	return 0;
}

/* Syncs the files. Anything else in the folder was forgotten there by the build. */
static int sync_files(const struct outdir *o, char *const *names, struct err *e)
{
	_cleanup_strv_ char **found = NULL;
	int r = dir_names_at(o->fd, ".", &found);

	if (r < 0)
		return err_errno(e, r, "%s", o->scratch.path);
	for (size_t i = 0; found && found[i]; i++) {
		_cleanup_close_ int fd = -1;

		if (!strv_has(names, found[i]))
			return err_set(e, ERR_FAILED,
				       "%s/%s: could not be removed, and does not belong "
				       "to the image",
				       o->scratch.path, found[i]);
		fd = file_open_foreign_at(o->fd, found[i]);
		r = fd < 0 ? fd : durable_close(&fd);
		if (r < 0)
			return err_errno(e, r, "%s/%s", o->scratch.path, found[i]);
	}
	return fsync(o->fd) < 0 ? err_errno(e, errno, "%s", o->scratch.path) : 0;
}

int outdir_commit(struct outdir *o, char *const *names, struct err *e)
{
	_cleanup_free_ char *final = xasprintf("%s/%s", o->parent, o->name);
	_cleanup_free_ char *aside = aside_path(o);
	int r;

	if (fchmod(o->fd, 0755) < 0)
		return err_errno(e, errno, "%s", o->scratch.path);
	if (sync_files(o, names, e) < 0)
		return -1;
	r = scratch_publish(&o->scratch, final, aside);
	if (r < 0)
		return err_set(e, ERR_FAILED, "%s: %s", final, scratch_strerror(r));
	scratch_remove(&o->scratch);
	return 0;
}

void outdir_done(struct outdir *o)
{
	if (o->fd >= 0)
		close(o->fd);
	scratch_done(&o->scratch);
	if (o->lock >= 0)
		close(o->lock);
	free(o->parent);
	free(o->name);
	*o = (struct outdir)OUTDIR_INIT;
}
