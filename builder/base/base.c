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
#include "builder/base/base.h"

#include "builder/base/debs.h"
#include "builder/common/noted-dir.h"
#include "lib/file.h"
#include "lib/log.h"

#include <dirent.h>

/* Changes whenever the same inputs come to give another root.tar. */
#define BASE_FORMAT 1
#define TEXT_MAX    (64U << 20)

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

/* One base that is wanted. */
struct base_job {
	const struct recipe *r;
	const struct cache *c;
	const struct base_options *o;
	struct buf inputs;  /* the text whose digest is `key` */
	struct buf sources; /* where this machine gets it from */
	char recipe_key[DIGEST_HEX_MAX], key[DIGEST_HEX_MAX];
};

static bool is_locked(const struct base_job *j)
{
	return j->o->lock && j->o->lock->n_packages > 0 && j->r->base.type->resolve;
}

void base_check_lock(const struct lock_base *lock, const struct recipe *r, struct diag *d)
{
	if (lock->n_packages > 0 && r->base.type->resolve)
		debs_check_recipe(lock, r, d);
}

int base_source_error(const struct recipe *r, struct err *e)
{
	return err_wrap(e, "%s: base: %s", r->base.where, r->base.url);
}

int base_check_source(const struct recipe *r, const struct blob *b, struct err *e)
{
	if (!r->base.type->check_source)
		return 0;
	if (lseek(b->fd, 0, SEEK_SET) < 0)
		err_errno(e, errno, "cannot be read");
	else if (r->base.type->check_source(r, b->fd, e) == 0)
		return 0;
	return base_source_error(r, e);
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
	utimensat(dir, "complete", NULL, 0); /* last used now */
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

/* Of the locked packages, out of the cache: nothing else can get in. */
static int make_locked(const struct base_job *j, struct base_work *w, struct err *e)
{
	const struct lock_base *lock = j->o->lock;
	_cleanup_free_ char *note = xasprintf("%s.debs", w->log), *repo = NULL;
	_cleanup_free_ char *path = xasprintf("%s/packages", w->dir), *packages = NULL;
	_cleanup_buf_ struct buf sources = {0};
	int r;

	if (debs_repo(lock, j->r, j->c, note, &sources, &repo, e) < 0)
		return -1;
	w->sources = sources.p;
	w->mirrors = NULL;
	r = j->r->base.type->make(w, e);
	noted_dir_remove(repo, note);
	if (r < 0)
		return -1;
	r = file_read_at(AT_FDCWD, path, TEXT_MAX, &packages, NULL);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	return debs_check_installed(lock, packages, e);
}

static int make_base(const struct base_job *j, struct err *e)
{
	_cleanup_free_ char *parent = xasprintf("%s/base", j->c->dir);
	_cleanup_free_ char *name = xasprintf(".%s", j->key);
	_cleanup_free_ char *log = xasprintf("%s/base/%s.log", j->c->dir, j->key);
	_cleanup_free_ char *source = NULL;
	_cleanup_rm_rf_ char *dir = NULL;
	const struct base_type *type = j->r->base.type;
	struct base_work w = {
		.r = j->r,
		.sources = j->sources.p ? j->sources.p : "",
		.mirrors = j->o->mirrors,
		.source = j->o->source ? j->o->source->fd : -1,
		.log = log,
	};
	int n;

	if (tools_check(type->tools, e) < 0)
		return -1;
	remove_stale(j->c, j->key);
	n = tempdir_make(parent, name, &dir);
	if (n < 0)
		return err_errno(e, n, "%s", parent);
	if (j->o->source)
		source = cache_blob_path(j->c, j->o->source);
	w.source_path = source;
	w.dir = dir;
	n = is_locked(j) ? make_locked(j, &w, e) : type->make(&w, e);
	if (n < 0)
		return -1;
	if (write_complete(dir, j->inputs.p, e) < 0 || move_in(j->c, dir, j->key, e) < 0)
		return -1;
	free(TAKE_PTR(dir)); /* it has its final name */
	return 0;
}

static int get_locked(struct base *b, const struct base_job *j, struct err *e)
{
	_cleanup_free_ char *name = xasprintf("base-%s", j->key);
	_cleanup_close_ int lock = -1;
	int found;

	if (cache_lock(j->c, name, &lock, e) < 0)
		return -1;
	found = j->o->refresh ? 0 : open_base(b, j->c, j->key, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (make_base(j, e) < 0)
		return -1;
	b->made = true;
	found = open_base(b, j->c, j->key, e);
	if (found == 0)
		return err_set(e, ERR_FAILED, "base %s: is gone again", j->key);
	return found < 0 ? -1 : 0;
}

/* The locked packages, wherever they are; else where this machine gets the suite from,
 * whatever that has. */
static void put_origin(struct base_job *j)
{
	const struct lock_base *l = j->o->lock;

	if (!is_locked(j)) {
		buf_add(&j->inputs, j->sources.p, j->sources.len);
		return;
	}
	for (size_t i = 0; i < l->n_packages; i++)
		buf_printf(&j->inputs, "locked %s %s %s %s\n", l->packages[i].name,
			   l->packages[i].version, l->packages[i].arch,
			   l->packages[i].sha256);
}

/* The same recipe is another tree when its maker is another version. */
static void put_tools(struct base_job *j)
{
	char hex[DIGEST_HEX_MAX];

	for (const struct tool *t = j->r->base.type->tools; t && t->program; t++)
		buf_printf(&j->inputs, "by %s %s\n", t->program,
			   digest_program(t->program, hex));
}

static int job_begin(struct base_job *j, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	put_common(&j->inputs, j->r);
	if (j->o->source)
		buf_printf(&j->inputs, "source %s\n", j->o->source->sha256);
	if (j->r->base.type->prepare(j->r, &j->inputs, &j->sources, e) < 0)
		return -1;
	digest_text(DIGEST_SHA256, j->inputs.p, j->inputs.len, j->recipe_key);
	if (j->o->lock)
		base_check_lock(j->o->lock, j->r, &d);
	put_origin(j);
	put_tools(j);
	digest_text(DIGEST_SHA256, j->inputs.p, j->inputs.len, j->key);
	return diag_err(&d, e);
}

static void job_done(struct base_job *j)
{
	buf_done(&j->inputs);
	buf_done(&j->sources);
}
#define _cleanup_job_ _cleanup_(job_done)

static int get_debs(const struct base_job *j, struct err *e)
{
	struct obtain_options oo = {.mirrors = j->o->mirrors, .offline = j->o->offline};
	size_t fetched = 0;

	if (debs_obtain(j->o->lock, j->r, j->sources.p ? j->sources.p : "", j->c, &oo,
			&fetched, e) < 0)
		return -1;
	log_info("packages: %zu locked, %zu of them fetched", j->o->lock->n_packages,
		 fetched);
	return 0;
}

static int offline_error(const struct base_job *j, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "the base of %s is not in the cache, and --offline was given (%s)",
		       j->r->name, j->r->base.where);
}

int base_get(struct base *ret, const struct recipe *r, const struct cache *c,
	     const struct base_options *o, struct err *e)
{
	_cleanup_base_ struct base b = {.tar = -1, .kernel = -1, .initrd = -1};
	_cleanup_job_ struct base_job j = {.r = r, .c = c, .o = o};
	int found = 0;

	if (job_begin(&j, e) < 0)
		return -1;
	memcpy(b.key, j.recipe_key, sizeof(b.key));
	if (!o->refresh)
		found = open_base(&b, c, j.key, e);
	if (found == 0 && o->offline && !is_locked(&j))
		return offline_error(&j, e);
	if (found == 0 && is_locked(&j) && get_debs(&j, e) < 0)
		return -1;
	if (found == 0)
		found = get_locked(&b, &j, e);
	if (found < 0)
		return -1;
	*ret = b;
	b = (struct base){.tar = -1, .kernel = -1, .initrd = -1};
	return 0;
}

int base_fetch(const struct recipe *r, const struct cache *c,
	       const struct base_options *o, struct err *e)
{
	_cleanup_base_ struct base b = {.tar = -1, .kernel = -1, .initrd = -1};
	_cleanup_job_ struct base_job j = {.r = r, .c = c, .o = o};

	if (job_begin(&j, e) < 0)
		return -1;
	return is_locked(&j) ? get_debs(&j, e) : base_get(&b, r, c, o, e);
}

int base_lock(struct lock_base *ret, const struct recipe *r, char *const *mirrors,
	      struct err *e)
{
	static const struct base_options none;
	_cleanup_job_ struct base_job j = {.r = r, .o = &none};

	*ret = (struct lock_base){0};
	if (!r->base.type->resolve)
		return 0;
	if (job_begin(&j, e) < 0)
		return -1;
	return r->base.type->resolve(ret, r, j.sources.p ? j.sources.p : "", mirrors, e);
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
