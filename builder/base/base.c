/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of bases. A base is made in a temporary folder beside its final name and
 * renamed when it is complete. The key's lock is held meanwhile: a second build waits and
 * then finds the base. The leftover folder of a killed build is removed by the next build
 * that holds the lock.
 *
 * root.tar is uncompressed: it is read for every build, and the disk is faster than any
 * decompressor. Its digest is not checked here, but when it is read (merge.c).
 */
#include "builder/base/base.h"

#include "builder/base/debs.h"
#include "builder/common/recorded-tempdir.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"

/* Increase this when a change of the program makes another root.tar of the same inputs.
 */
#define BASE_FORMAT 1
#define TEXT_MAX    (64U << 20)

static void append_words(struct buf *b, const char *key, char *const *v)
{
	for (size_t i = 0; v && v[i]; i++)
		buf_printf(b, "%s %s\n", key, v[i]);
}

/* Appends the inputs that bases of every type depend on. */
static void append_common(struct buf *b, const struct recipe *r)
{
	buf_printf(b, "format %d\ntype %s\nepoch %llu\nkernel %s\n", BASE_FORMAT,
		   r->base.type->name, (unsigned long long)r->epoch,
		   r->base.kernel ? r->base.kernel : "-");
	append_words(b, "package", r->base.packages);
	append_words(b, "path-exclude", r->base.path_exclude);
	buf_printf(b, "initramfs %s %s\n",
		   r->initramfs.policy == INITRAMFS_MOST ? "most" : "list",
		   r->initramfs.compress);
	append_words(b, "module", r->initramfs.modules);
	append_words(b, "tool", r->initramfs.tools);
}

/* A base that is asked for, and the key it has in the cache. */
struct base_request {
	const struct recipe *r;
	const struct cache *c;
	const struct base_options *o;
	struct buf inputs;  /* the text whose digest is `key` */
	struct buf sources; /* where this machine gets the packages from */
	char recipe_key[DIGEST_HEX_MAX], key[DIGEST_HEX_MAX];
};

static bool is_locked(const struct base_request *q)
{
	return q->o->lock && q->o->lock->n_packages > 0 && q->r->base.type->resolve;
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

/* --- reading the cache ------------------------------------------------------------- */

/* Opens a complete base. Returns 1, 0 when the cache has none, or -1. */
static int open_base(struct base *b, const struct cache *c, const char *key,
		     struct err *e)
{
	_cleanup_free_ char *path = xasprintf("base/%s", key), *complete = NULL;
	_cleanup_close_ int dir = openat(c->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s/%s", c->dir, path);
	r = file_read_foreign_at(dir, "complete", 4096, &complete, NULL);
	if (r >= 0)
		r = file_read_foreign_at(dir, "packages", TEXT_MAX, &b->packages, NULL);
	if (r >= 0)
		r = file_read_foreign_at(dir, "owners", TEXT_MAX, &b->owners, NULL);
	if (r < 0)
		return err_errno(e, r,
				 "%s/%s: damaged: run again with --refresh to rebuild it",
				 c->dir, path);
	complete[strcspn(complete, "\n")] = '\0';
	utimensat(dir, "complete", NULL, 0); /* last used now */
	b->tar_sha256 = TAKE_PTR(complete);
	b->tar = file_open_foreign_at(dir, "root.tar");
	b->kernel = file_open_foreign_at(dir, "vmlinuz");
	b->initrd = file_open_foreign_at(dir, "initrd.img");
	if (b->tar < 0 || b->kernel < 0 || b->initrd < 0)
		return err_set(e, ERR_FAILED,
			       "%s/%s: damaged: run again with --refresh to rebuild it",
			       c->dir, path);
	return 1;
}

/* --- making a base ----------------------------------------------------------------- */

/* Removes the leftover folders CACHE/base/.<key>.* of killed builds. No build uses them,
 * because we hold the key's lock. */
static int remove_stale(const struct cache *c, const char *key, struct err *e)
{
	_cleanup_free_ char *prefix = xasprintf(".%s.", key);
	_cleanup_strv_ char **names = NULL;
	int r = dir_names_at(c->fd, "base", &names);

	if (r < 0)
		return err_errno(e, r, "cache %s: base", c->dir);
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("base/%s", names[i]);

		if (!str_after(names[i], prefix))
			continue;
		log_debug("removing the leftover of a killed build: %s/%s", c->dir, path);
		rm_rf_at(c->fd, path);
	}
	return 0;
}

static int write_complete(const char *dir, const char *inputs, struct err *e)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int tar = -1;
	char sha256[DIGEST_HEX_MAX + 1];
	int r;

	if (fd < 0)
		return err_errno(e, errno, "%s", dir);
	tar = file_open_foreign_at(fd, "root.tar");
	r = tar < 0 ? tar : digest_fd(tar, DIGEST_SHA256, sha256, NULL);
	if (r >= 0)
		r = file_write_at(fd, "inputs", inputs, strlen(inputs), 0644);
	if (r >= 0) {
		strcat(sha256, "\n");
		r = file_write_at(fd, "complete", sha256, strlen(sha256), 0644);
	}
	return r < 0 ? err_errno(e, r, "%s", dir) : 0;
}

/* Renames the finished folder to its final name, and removes the folder that had it. */
static int move_to_final_name(const struct cache *c, const char *dir, const char *key,
			      struct err *e)
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

/* Checks that the base has the locked packages and no others. */
static int check_installed(const struct base_request *q, const struct base_work *w,
			   struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/packages", w->dir), *packages = NULL;
	int r = file_read_foreign_at(AT_FDCWD, path, TEXT_MAX, &packages, NULL);

	return r < 0 ? err_errno(e, r, "%s", path)
		     : debs_check_installed(q->o->lock, packages, e);
}

static int make_base(const struct base_request *q, struct err *e)
{
	_cleanup_free_ char *parent = xasprintf("%s/base", q->c->dir);
	_cleanup_free_ char *name = xasprintf(".%s", q->key);
	_cleanup_free_ char *log = xasprintf("%s/base/%s.log", q->c->dir, q->key);
	_cleanup_free_ char *source = NULL;
	_cleanup_rm_rf_ char *dir = NULL;
	const struct base_type *type = q->r->base.type;
	struct base_work w = {
		.r = q->r,
		.c = q->c,
		.lock = is_locked(q) ? q->o->lock : NULL,
		.sources = q->sources.p ? q->sources.p : "",
		.mirrors = q->o->mirrors,
		.source = q->o->source ? q->o->source->fd : -1,
		.log = log,
	};
	int n;

	if (tools_check(type->tools, e) < 0 || remove_stale(q->c, q->key, e) < 0)
		return -1;
	n = tempdir_make(parent, name, &dir);
	if (n < 0)
		return err_errno(e, n, "%s", parent);
	if (q->o->source)
		source = cache_blob_path(q->c, q->o->source);
	w.source_path = source;
	w.dir = dir;
	if (type->make(&w, e) < 0 || (w.lock && check_installed(q, &w, e) < 0))
		return -1;
	if (write_complete(dir, q->inputs.p, e) < 0 ||
	    move_to_final_name(q->c, dir, q->key, e) < 0)
		return -1;
	free(TAKE_PTR(dir)); /* renamed: not to be removed */
	return 0;
}

static int get_locked(struct base *b, const struct base_request *q, struct err *e)
{
	_cleanup_free_ char *name = xasprintf("base-%s", q->key);
	_cleanup_close_ int lock = -1;
	int found;

	if (cache_lock(q->c, name, &lock, e) < 0)
		return -1;
	found = q->o->refresh ? 0 : open_base(b, q->c, q->key, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (make_base(q, e) < 0)
		return -1;
	b->made = true;
	found = open_base(b, q->c, q->key, e);
	if (found == 0)
		return err_set(e, ERR_FAILED,
			       "base %s: was removed from the cache meanwhile", q->key);
	return found < 0 ? -1 : 0;
}

/* Appends the locked packages, whatever archive they come from. Without a lock, appends
 * the sources instead, whatever versions they have. */
static void append_origin(struct base_request *q)
{
	const struct lock_base *l = q->o->lock;

	if (!is_locked(q)) {
		buf_add(&q->inputs, q->sources.p, q->sources.len);
		return;
	}
	for (size_t i = 0; i < l->n_packages; i++)
		buf_printf(&q->inputs, "locked %s %s %s %s\n", l->packages[i].name,
			   l->packages[i].version, l->packages[i].arch,
			   l->packages[i].sha256);
}

/* Appends the digests of the programs that make the base: another version may make
 * another tree. */
static void append_tools(struct base_request *q)
{
	char hex[DIGEST_HEX_MAX];

	for (const struct tool *t = q->r->base.type->tools; t && t->program; t++)
		buf_printf(&q->inputs, "by %s %s\n", t->program,
			   digest_program(t->program, hex));
}

static int request_init(struct base_request *q, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	append_common(&q->inputs, q->r);
	if (q->o->source)
		buf_printf(&q->inputs, "source %s\n", q->o->source->sha256);
	if (q->r->base.type->prepare(q->r, &q->inputs, &q->sources, e) < 0)
		return -1;
	digest_text(DIGEST_SHA256, q->inputs.p, q->inputs.len, q->recipe_key);
	if (q->o->lock)
		base_check_lock(q->o->lock, q->r, &d);
	append_origin(q);
	append_tools(q);
	digest_text(DIGEST_SHA256, q->inputs.p, q->inputs.len, q->key);
	return diag_err(&d, e);
}

static void request_done(struct base_request *q)
{
	buf_done(&q->inputs);
	buf_done(&q->sources);
}
#define _cleanup_request_ _cleanup_(request_done)

static int get_debs(const struct base_request *q, struct err *e)
{
	struct obtain_options oo = {.mirrors = q->o->mirrors, .offline = q->o->offline};
	size_t fetched = 0;

	if (debs_obtain(q->o->lock, q->r, q->sources.p ? q->sources.p : "", q->c, &oo,
			&fetched, e) < 0)
		return -1;
	log_info("packages: %zu locked, %zu of them fetched", q->o->lock->n_packages,
		 fetched);
	return 0;
}

static int offline_error(const struct base_request *q, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "the base of %s is not in the cache, and --offline was given (%s)",
		       q->r->name, q->r->base.where);
}

int base_get(struct base *ret, const struct recipe *r, const struct cache *c,
	     const struct base_options *o, struct err *e)
{
	_cleanup_base_ struct base b = {.tar = -1, .kernel = -1, .initrd = -1};
	_cleanup_request_ struct base_request q = {.r = r, .c = c, .o = o};
	int found = 0;

	if (request_init(&q, e) < 0)
		return -1;
	memcpy(b.key, q.recipe_key, sizeof(b.key));
	if (!o->refresh)
		found = open_base(&b, c, q.key, e);
	if (found == 0 && o->offline && !is_locked(&q))
		return offline_error(&q, e);
	if (found == 0 && is_locked(&q) && get_debs(&q, e) < 0)
		return -1;
	if (found == 0)
		found = get_locked(&b, &q, e);
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
	_cleanup_request_ struct base_request q = {.r = r, .c = c, .o = o};

	if (request_init(&q, e) < 0)
		return -1;
	return is_locked(&q) ? get_debs(&q, e) : base_get(&b, r, c, o, e);
}

int base_lock(struct lock_base *ret, const struct recipe *r, char *const *mirrors,
	      struct err *e)
{
	static const struct base_options none;
	_cleanup_request_ struct base_request q = {.r = r, .o = &none};

	*ret = (struct lock_base){0};
	if (!r->base.type->resolve)
		return 0;
	if (request_init(&q, e) < 0)
		return -1;
	return r->base.type->resolve(ret, r, q.sources.p ? q.sources.p : "", mirrors, e);
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
