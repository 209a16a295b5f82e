/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of bases. A base is made in a scratch folder beside its final name and
 * renamed when it is complete. The key's lock is held meanwhile: a second build waits and
 * then finds the base.
 *
 * root.tar is uncompressed: it is read for every build, and the disk is faster than any
 * decompressor.
 */
#include "builder/base/base.h"

#include "builder/base/apt.h"
#include "builder/base/base-entry.h"
#include "builder/base/debs.h"
#include "builder/common/leftovers.h"
#include "builder/common/progress.h"
#include "builder/common/sandbox.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"

#include <sys/stat.h>

/* Increase this when a change of the program makes another root.tar of the same inputs,
 * or an entry of the cache in another format. */
#define BASE_FORMAT 2
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

int base_check_source(const struct recipe *r, int fd, struct err *e)
{
	if (!r->base.type->check_source || r->base.type->check_source(r, fd, e) == 0)
		return 0;
	return base_source_error(r, e);
}

/* --- making a base ----------------------------------------------------------------- */

/* Removes the scratch folders of killed builds that have no record. No build uses them,
 * because we hold the key's lock. */
static int remove_stale(const struct cache *c, const char *key, struct err *e)
{
	_cleanup_free_ char *scratch = xasprintf(".%s", key);
	int r = scratch_remove_named(c->fd, "base", scratch);

	return r < 0 ? err_errno(e, r, "cache %s: base", c->dir) : 0;
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
	_cleanup_free_ char *final = xasprintf("%s/base/%s", q->c->dir, q->key);
	_cleanup_free_ char *aside = xasprintf("%s/base/.%s.old", q->c->dir, q->key);
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int source = -1;
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	const struct base_type *type = q->r->base.type;
	struct base_work w = {
		.r = q->r,
		.c = q->c,
		.lock = is_locked(q) ? q->o->lock : NULL,
		.sources = q->sources.p ? q->sources.p : "",
		.mirrors = q->o->mirrors,
		.source = -1,
		.log = log,
		.forecast = q->o->forecast,
		.forecast_data = q->o->forecast_data,
	};
	int n;

	if (tools_check(type->tools, e) < 0 || remove_stale(q->c, q->key, e) < 0 ||
	    leftovers_make(&s, parent, name, e) < 0)
		return -1;
	if (q->o->source) {
		w.source = source = input_open(q->o->source, e);
		if (source < 0)
			return base_source_error(q->r, e);
		w.source_path = path = cache_blob_path(q->c, &q->o->source->blob);
	}
	w.dir = s.path;
	if (type->make(&w, e) < 0 || (w.lock && check_installed(q, &w, e) < 0))
		return -1;
	if (base_entry_complete(s.path, q->inputs.p, e) < 0)
		return -1;
	n = chmod(s.path, 0755) < 0 ? -errno : scratch_publish(&s, final, aside);
	return n < 0 ? err_set(e, ERR_FAILED, "%s: %s", final, scratch_strerror(n)) : 0;
}

static int get_locked(struct base *b, const struct base_request *q, struct err *e)
{
	_cleanup_free_ char *name = xasprintf("base-%s", q->key);
	_cleanup_close_ int lock = -1;
	int found;

	if (cache_lock(q->c, name, &lock, e) < 0)
		return -1;
	found = q->o->refresh ? 0 : base_entry_open(b, q->c, q->key, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (make_base(q, e) < 0)
		return -1;
	b->made = true;
	found = base_entry_open(b, q->c, q->key, e);
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
		buf_printf(&q->inputs, "source %s\n", q->o->source->blob.sha256);
	if (q->r->base.type->prepare(q->r, q->c ? q->c->dir : NULL, &q->inputs,
				     &q->sources, e) < 0)
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
	struct obtain_options oo = {
		.mirrors = q->o->mirrors, .netrc = q->o->netrc, .offline = q->o->offline};
	size_t fetched = 0;

	stages_name("fetching the packages");
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
	_cleanup_base_ struct base b = BASE_INIT;
	_cleanup_request_ struct base_request q = {.r = r, .c = c, .o = o};
	int found = 0;

	if (request_init(&q, e) < 0)
		return -1;
	memcpy(b.key, q.recipe_key, sizeof(b.key));
	b.verify = c->verify;
	if (!o->refresh)
		found = base_entry_open(&b, c, q.key, e);
	if (found == 0 && o->offline && !is_locked(&q))
		return offline_error(&q, e);
	if (found == 0 && is_locked(&q) && get_debs(&q, e) < 0)
		return -1;
	if (found == 0)
		found = get_locked(&b, &q, e);
	if (found < 0)
		return -1;
	*ret = b;
	b = (struct base)BASE_INIT;
	return 0;
}

/* --- before anything is made ------------------------------------------------------- */

static void preview_packages(struct base_preview *p, const struct base_request *q)
{
	const struct lock_base *l = q->o->lock;

	for (size_t i = 0; is_locked(q) && i < l->n_packages; i++) {
		p->debs += l->packages[i].size;
		if (!q->c ||
		    !cache_blob_exists(q->c, DIGEST_SHA256, l->packages[i].sha256))
			p->fetch += l->packages[i].size;
	}
}

/* Checks what make_base() needs. */
static void preview_make(const struct base_request *q, struct mistakes *m)
{
	_cleanup_sandbox_ struct sandbox s = SANDBOX_NONE;
	struct err e = {0};

	if (q->o->offline && !is_locked(q)) {
		(void)offline_error(q, &e);
		mistakes_add(m, &e);
		return;
	}
	tools_missing(q->r->base.type->tools, "", &m->unable);
	tools_missing(apt_tools, "", &m->unable);
	if (sandbox_open(&s, &e) < 0)
		diag_add_err(&m->unable, &e);
}

void base_preview(struct base_preview *ret, const struct recipe *r, const struct cache *c,
		  const struct base_options *o, struct mistakes *m)
{
	_cleanup_request_ struct base_request q = {.r = r, .c = c, .o = o};
	_cleanup_free_ char *complete = NULL, *tar = NULL;
	struct err e = {0};
	struct stat st;

	*ret = (struct base_preview){.packages = r->base.suite != NULL};
	/* Without apt-get, which is reported below, its sources are not known. */
	if ((run_have("apt-get") || !r->base.suite) && request_init(&q, &e) < 0) {
		mistakes_add(m, &e);
	} else if (c && q.key[0]) {
		complete = xasprintf("base/%s/complete", q.key);
		tar = xasprintf("base/%s/root.tar", q.key);
		ret->made = !o->refresh && faccessat(c->fd, complete, F_OK, 0) == 0;
		if (ret->made && fstatat(c->fd, tar, &st, 0) == 0)
			ret->tar = (uint64_t)st.st_size;
	}
	if (ret->made)
		return;
	preview_packages(ret, &q);
	preview_make(&q, m);
}

int base_fetch(const struct recipe *r, const struct cache *c,
	       const struct base_options *o, struct err *e)
{
	_cleanup_base_ struct base b = BASE_INIT;
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
	const int fds[] = {b->dir, b->tar.fd, b->kernel.fd, b->initrd.fd};

	free(b->packages);
	free(b->owners);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*b = (struct base)BASE_INIT;
}

/* --- verifying --------------------------------------------------------------------- */

#define MEMO "known"

static int damaged(const char *name, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "base: %s in the cache is damaged: run again with --refresh to "
		       "rebuild the base",
		       name);
}

/* Returns the memo's text; owned. */
static char *tar_digests(const struct base *b)
{
	return xasprintf("sha256 %s", b->tar.sha256);
}

bool base_tar_is_known(const struct base *b)
{
	_cleanup_free_ char *want = tar_digests(b), *is = NULL;

	if (b->made)
		return true;
	is = b->verify ? NULL : digest_memo_read(b->dir, MEMO, b->tar.fd);
	return is && streq(is, want);
}

int base_tar_check(const struct base *b, struct digest *tap, const struct digest_stamp *s,
		   struct err *e)
{
	_cleanup_free_ char *digests = tar_digests(b);
	char sha256[DIGEST_HEX_MAX];
	int r = 0;

	if (tap)
		digest_hex(tap, sha256);
	else if (lseek(b->tar.fd, 0, SEEK_SET) < 0)
		r = -errno;
	else
		r = digest_fd(b->tar.fd, DIGEST_SHA256, sha256, NULL);
	if (r < 0)
		return err_errno(e, r, "base: root.tar");
	if (!streq(sha256, b->tar.sha256))
		return damaged("root.tar", e);
	if (tap && s)
		digest_memo_write(b->dir, MEMO, b->tar.fd, s, digests);
	return 0;
}

int base_copy_file(const struct base_file *f, const char *name, int to, const char *path,
		   struct err *e)
{
	char sha256[DIGEST_HEX_MAX];
	int r = lseek(f->fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (r == 0)
		r = digest_copy_fd(f->fd, to, DIGEST_SHA256, sha256);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	return streq(sha256, f->sha256) ? 0 : damaged(name, e);
}
