/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of bases. One is made in a temporary folder beside its final name and moved
 * there when it is complete; making it holds the key's lock, so a second build waits and
 * finds it. A folder that a killed build left is removed by the next one that holds the
 * lock.
 *
 * root.tar is uncompressed: it is read for every build, and the disk is faster than any
 * decompressor. It is not read through to be verified here; who streams it checks its
 * digest on the way (merge.c).
 */
#include "base.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"

#include <dirent.h>

/* Changes whenever the same inputs come to give another root.tar. */
#define BASE_FORMAT 1
#define TEXT_MAX    (64U << 20)

int base_check_tools(const struct base_tool *tools, struct err *e)
{
	for (; tools && tools->program; tools++)
		if (!run_have(tools->program))
			return err_set(e, ERR_FAILED,
				       "%s: not found in PATH; it is in the package %s",
				       tools->program, tools->package);
	return 0;
}

static void put_words(struct buf *b, const char *key, char *const *v)
{
	for (size_t i = 0; v && v[i]; i++)
		buf_printf(b, "%s %s\n", key, v[i]);
}

/* What every type's base depends on. */
static void put_common(struct buf *b, const struct recipe *r)
{
	buf_printf(b, "format %d\ntype %s\nepoch %llu\nkernel %s\n", BASE_FORMAT,
		   r->base.type->name, (unsigned long long)r->epoch,
		   r->base.kernel ? r->base.kernel : "-");
	put_words(b, "package", r->base.packages);
	put_words(b, "path-exclude", r->base.path_exclude);
	buf_printf(b, "initramfs %s %s\n",
		   r->initramfs.policy == INITRAMFS_MOST ? "most" : "list",
		   r->initramfs.compress);
	put_words(b, "module", r->initramfs.modules);
	put_words(b, "tool", r->initramfs.tools);
}

/* --- what is there ----------------------------------------------------------------- */

/* Opens a complete base. 1, 0 when there is none, -1. */
static int open_base(struct base *b, const struct cache *c, const char *key,
		     struct err *e)
{
	_cleanup_free_ char *path = xasprintf("base/%s", key), *complete = NULL;
	_cleanup_close_ int dir = openat(c->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s/%s", c->dir, path);
	r = file_read_at(dir, "complete", 4096, &complete, NULL);
	if (r >= 0)
		r = file_read_at(dir, "packages", TEXT_MAX, &b->packages, NULL);
	if (r >= 0)
		r = file_read_at(dir, "owners", TEXT_MAX, &b->owners, NULL);
	if (r < 0)
		return err_errno(e, r, "%s/%s: damaged; --refresh makes it anew", c->dir,
				 path);
	complete[strcspn(complete, "\n")] = '\0';
	b->tar_sha256 = TAKE_PTR(complete);
	b->tar = openat(dir, "root.tar", O_RDONLY | O_CLOEXEC);
	b->kernel = openat(dir, "vmlinuz", O_RDONLY | O_CLOEXEC);
	b->initrd = openat(dir, "initrd.img", O_RDONLY | O_CLOEXEC);
	if (b->tar < 0 || b->kernel < 0 || b->initrd < 0)
		return err_errno(e, errno, "%s/%s: damaged; --refresh makes it anew",
				 c->dir, path);
	return 1;
}

/* --- making one -------------------------------------------------------------------- */

/* Removes CACHE/base/.<key>.* that nobody works on any more: we hold the lock. */
static void remove_stale(const struct cache *c, const char *key)
{
	_cleanup_free_ char *path = xasprintf("%s/base", c->dir);
	_cleanup_free_ char *prefix = xasprintf(".%s.", key);
	_cleanup_closedir_ DIR *d = opendir(path);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (str_after(entry->d_name, prefix)) {
			log_debug("removes what a killed build left: %s/%s", path,
				  entry->d_name);
			rm_rf_at(dirfd(d), entry->d_name);
		}
}

static int write_complete(const char *dir, const char *inputs, struct err *e)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int tar = -1;
	char sha256[DIGEST_HEX_MAX + 1];
	int r;

	if (fd < 0)
		return err_errno(e, errno, "%s", dir);
	tar = openat(fd, "root.tar", O_RDONLY | O_CLOEXEC);
	r = tar < 0 ? -errno : digest_fd(tar, DIGEST_SHA256, sha256, NULL);
	if (r >= 0)
		r = file_write_at(fd, "inputs", inputs, strlen(inputs), 0644);
	if (r >= 0) {
		strcat(sha256, "\n");
		r = file_write_at(fd, "complete", sha256, strlen(sha256), 0644);
	}
	return r < 0 ? err_errno(e, r, "%s", dir) : 0;
}

/* Puts the finished folder in the place of an older one, if there is one. */
static int move_in(const struct cache *c, const char *dir, const char *key, struct err *e)
{
	_cleanup_free_ char *to = xasprintf("%s/base/%s", c->dir, key);
	int r = 0;

	if (chmod(dir, 0755) < 0)
		return err_errno(e, errno, "%s", dir);
	if (renameat2(AT_FDCWD, dir, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
		rm_rf_at(AT_FDCWD, dir);
	else if (errno != ENOENT || rename(dir, to) < 0)
		return err_errno(e, errno, "%s", to);
	r = fsync_parent_at(AT_FDCWD, to);
	return r < 0 ? err_errno(e, r, "%s", to) : 0;
}

static int make_base(const struct recipe *r, const struct cache *c, const char *key,
		     const char *inputs, const char *sources,
		     const struct base_options *o, struct err *e)
{
	_cleanup_free_ char *parent = xasprintf("%s/base", c->dir);
	_cleanup_free_ char *name = xasprintf(".%s", key);
	_cleanup_free_ char *log = xasprintf("%s/base/%s.log", c->dir, key);
	_cleanup_free_ char *source = NULL;
	_cleanup_rm_rf_ char *dir = NULL;
	struct base_work w = {
		.r = r,
		.sources = sources,
		.mirrors = o->mirrors,
		.source = o->source ? o->source->fd : -1,
		.log = log,
	};
	int n;

	if (base_check_tools(r->base.type->tools, e) < 0)
		return -1;
	remove_stale(c, key);
	n = tempdir_make(parent, name, &dir);
	if (n < 0)
		return err_errno(e, n, "%s", parent);
	if (o->source)
		source = cache_blob_path(c, o->source);
	w.source_path = source;
	w.dir = dir;
	if (r->base.type->make(&w, e) < 0)
		return -1;
	if (write_complete(dir, inputs, e) < 0 || move_in(c, dir, key, e) < 0)
		return -1;
	free(TAKE_PTR(dir)); /* it has its final name */
	return 0;
}

static int get_locked(struct base *b, const struct recipe *r, const struct cache *c,
		      const char *key, const char *inputs, const char *sources,
		      const struct base_options *o, struct err *e)
{
	_cleanup_free_ char *name = xasprintf("base-%s", key);
	_cleanup_close_ int lock = -1;
	int found;

	if (cache_lock(c, name, &lock, e) < 0)
		return -1;
	found = o->refresh ? 0 : open_base(b, c, key, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (make_base(r, c, key, inputs, sources, o, e) < 0)
		return -1;
	b->made = true;
	found = open_base(b, c, key, e);
	if (found == 0)
		return err_set(e, ERR_FAILED, "base %s: is gone again", key);
	return found < 0 ? -1 : 0;
}

int base_get(struct base *ret, const struct recipe *r, const struct cache *c,
	     const struct base_options *o, struct err *e)
{
	_cleanup_base_ struct base b = {.tar = -1, .kernel = -1, .initrd = -1};
	_cleanup_buf_ struct buf inputs = {0}, sources = {0};
	char key[DIGEST_HEX_MAX];
	int found = 0;

	put_common(&inputs, r);
	if (o->source)
		buf_printf(&inputs, "source %s\n", o->source->sha256);
	if (r->base.type->prepare(r, &inputs, &sources, e) < 0)
		return -1;
	digest_text(DIGEST_SHA256, inputs.p, inputs.len, b.key);
	buf_add(&inputs, sources.p, sources.len);
	digest_text(DIGEST_SHA256, inputs.p, inputs.len, key);

	if (!o->refresh)
		found = open_base(&b, c, key, e);
	if (found == 0 && o->offline)
		return err_set(e, ERR_FAILED,
			       "the base of %s is not in the cache, and --offline was "
			       "given (%s)",
			       r->name, r->base.where);
	if (found == 0)
		found = get_locked(&b, r, c, key, inputs.p, sources.p ? sources.p : "", o,
				   e);
	if (found < 0)
		return -1;
	*ret = b;
	b = (struct base){.tar = -1, .kernel = -1, .initrd = -1};
	return 0;
}

void base_done(struct base *b)
{
	free(b->tar_sha256);
	free(b->packages);
	free(b->owners);
	if (b->tar >= 0)
		close(b->tar);
	if (b->kernel >= 0)
		close(b->kernel);
	if (b->initrd >= 0)
		close(b->initrd);
	*b = (struct base){.tar = -1, .kernel = -1, .initrd = -1};
}
