/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks are made in the order of their costs, and everything that they found is reported
 * together. Facts that depend on something unknown are left to the stage that finds it
 * out: members of archives that are fetched (inputs-check.h), files of packages
 * (deb-files.h).
 *
 * Space is compared with what is certain to be needed, so that a build that would succeed
 * is not refused: a root image that is cached or unchanged needs none, and one that has
 * no room in the cache is not kept. Without a lock, the sizes of packages are not known.
 */
#include "builder/image/preflight.h"

#include "builder/common/leftovers.h"
#include "builder/common/mistakes.h"
#include "builder/common/outdir.h"
#include "builder/common/space.h"
#include "builder/common/temp-file.h"
#include "builder/recipe/image-type.h"
#include "builder/root/inputs-check.h"
#include "builder/root/squash.h"
#include "lib/dir.h"

#include <sys/stat.h>

#define MIB (UINT64_C(1) << 20)

/* Bytes that even the smallest base with a kernel takes: its packages, and unpacked. */
#define MIN_DEBS (40 * MIB)
#define MIN_TREE (150 * MIB)
/* Bytes of a file that count: a larger one may have little but zeros. */
#define MAX_FILE (8 * MIB)

/* --- programs and files of this machine -------------------------------------------- */

static void check_firstboot(const char *path, struct mistakes *m)
{
	struct stat st;

	if (stat(path, &st) < 0)
		diag_add(&m->unable, "firstboot %s (--firstboot names another): %s", path,
			 strerror(errno));
	else if (!S_ISREG(st.st_mode))
		diag_add(&m->unable, "firstboot %s: not a file", path);
}

static void check_tools(const struct recipe *r, struct mistakes *m)
{
	static const struct tool tools[] = {{SQUASH_TOOL, SQUASH_PACKAGE}, {0}};

	tools_missing(tools, "", &m->unable);
	for (size_t i = 0; i < r->n_images; i++) {
		_cleanup_free_ char *prefix =
			xasprintf("image '%s': ", r->images[i]->name);
		const struct tool *const *lists = r->images[i]->tools;

		for (; lists && *lists; lists++)
			tools_missing(*lists, prefix, &m->unable);
	}
}

/* Checks that the output can be made: its folder, and what is at its place now. */
static void check_out(const char *out, const char *name, struct mistakes *m)
{
	_cleanup_free_ char *folder = space_folder(out);
	struct err e = {0};
	struct stat st;

	if (stat(folder, &st) < 0)
		diag_add(&m->failed, "--output: %s: %s", folder, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		diag_add(&m->failed, "--output: %s: %s is not a folder", out, folder);
	else if (access(folder, W_OK | X_OK) < 0)
		diag_add(&m->failed, "--output: %s: %s", folder, strerror(errno));
	else if (outdir_check(out, name, &e) < 0)
		mistakes_add(m, &e);
}

static void check_temp_dir(struct mistakes *m)
{
	const char *dir = temp_dir();
	struct stat st;

	if (stat(dir, &st) < 0)
		diag_add(&m->failed, "TMPDIR: %s: %s", dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		diag_add(&m->failed, "TMPDIR: %s: %s", dir, strerror(ENOTDIR));
	else if (access(dir, W_OK | X_OK) < 0)
		diag_add(&m->failed, "TMPDIR: %s: %s", dir, strerror(errno));
}

/* Checks that cache_open() could make the folder `dir`. */
static void check_new_cache(const char *dir, struct mistakes *m)
{
	_cleanup_free_ char *folder = space_folder(dir);
	struct err e = {0};
	struct stat st;

	if (dir_check_link(dir, false, &e) < 0) {
		(void)err_wrap(&e, "cache");
		mistakes_add(m, &e);
	} else if (stat(folder, &st) < 0) {
		diag_add(&m->failed, "cache %s: %s", dir, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		diag_add(&m->failed, "cache %s: %s", dir, strerror(ENOTDIR));
	} else if (access(folder, W_OK | X_OK) < 0) {
		diag_add(&m->failed, "cache %s: %s", dir, strerror(errno));
	}
}

/* Opens the cache. In a dry run it is not made. */
static void open_cache(struct preflight *p, const struct build_options *o, bool dry,
		       struct mistakes *m)
{
	_cleanup_free_ char *dir = o->cache ? xstrdup(o->cache) : cache_dir_default();
	struct err e = {0};

	if (dry && dir && access(dir, F_OK) < 0) {
		check_new_cache(dir, m);
		return;
	}
	if (cache_open(&p->cache, o->cache, &e) < 0)
		mistakes_add(m, &e);
	p->cache.verify = o->verify;
}

/* --- the inputs -------------------------------------------------------------------- */

/* Returns the file that the base is made from, or NULL for a base of packages. */
static const struct recipe_artifact *base_source(const struct recipe *r)
{
	for (size_t i = 0; i < r->n_artifacts; i++)
		if (r->artifacts[i].use == ARTIFACT_BASE)
			return &r->artifacts[i];
	return NULL;
}

/* Sets the SHA-256 of the file that the base is made from, as inputs_get() will do.
 * Returns false when it is not known before the file is fetched. */
static bool know_source(struct input *ret, const struct recipe_artifact *a,
			const struct lock *lock, const struct cache *c)
{
	const struct lock_entry *l = lock_find(lock, a->url);
	bool pinned = a->digest && !digest_is_weak(a->digest_type);

	*ret = (struct input){.artifact = a, .blob = {.fd = -1}};
	if (pinned && a->digest_type == DIGEST_SHA256)
		strcpy(ret->blob.sha256, a->digest);
	else if (l)
		strcpy(ret->blob.sha256, l->sha256);
	else
		return pinned && c &&
		       cache_blob_sha256(c, a->digest_type, a->digest, ret->blob.sha256);
	return true;
}

/* Returns the bytes that are to be fetched, as far as they are known. */
static uint64_t check_inputs(struct preflight *p, const struct recipe *r,
			     const struct build_options *o, bool dry, struct mistakes *m)
{
	_cleanup_inputs_ struct inputs in = {0};
	const struct inputs_options io = {.mirrors = o->mirrors, .offline = o->offline};
	const struct cache *c = p->cache.fd >= 0 ? &p->cache : NULL;
	struct err e = {0};
	uint64_t fetch = 0;

	if (build_lock_read(&p->lock, r, o->lock, &m->config) < 0)
		return 0;
	if (inputs_preview(dry ? &in : NULL, r, &p->lock, c, &io, &fetch, m, &e) < 0)
		mistakes_add(m, &e);
	if (dry)
		inputs_check_members(&in, r, &m->failed);
	return fetch;
}

/* Checks the base, unless it is made from a file whose SHA-256 is not known: then it is
 * not known either if the cache has it, and nothing may be demanded for making it. */
static void check_base(struct base_preview *ret, const struct recipe *r,
		       const struct lock *lock, const struct cache *c,
		       const struct base_options *o, struct mistakes *m)
{
	const struct recipe_artifact *a = base_source(r);
	struct base_options with = *o;
	struct input source = {0};

	with.lock = &lock->base;
	with.source = a ? &source : NULL;
	if (!a || know_source(&source, a, lock, c))
		base_preview(ret, r, c, &with, m);
}

int preflight_fetch(const struct recipe *r, const struct lock *lock,
		    const struct cache *c, char *const *mirrors, bool base, struct err *e)
{
	_cleanup_mistakes_ struct mistakes m = {0};
	const struct inputs_options io = {.mirrors = mirrors};
	const struct base_options bo = {.mirrors = mirrors};
	struct base_preview preview;
	struct err one = {0};
	uint64_t fetch = 0;

	if (inputs_preview(NULL, r, lock, c, &io, &fetch, &m, &one) < 0)
		mistakes_add(&m, &one);
	/* The packages of a locked base are fetched only. */
	if (base && lock->base.n_packages == 0)
		check_base(&preview, r, lock, c, &bo, &m);
	return mistakes_err(&m, e);
}

/* --- space ------------------------------------------------------------------------- */

/* Returns how many times the outputs have the parts: a disk has two slots. */
static uint64_t copies(const struct recipe *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n_images; i++)
		n += streq(r->images[i]->name, "disk") ? 2 : 1;
	return n;
}

/* The parts have the root image at least: an eighth of what is in it. */
static struct space_need output_need(const struct recipe *r, const char *out,
				     uint64_t root)
{
	return (struct space_need){out, "the image (--output)", root / 8 * copies(r)};
}

/* Returns true if this build may find that an earlier one made the same image. */
static bool may_be_unchanged(const struct recipe *r, const struct build_options *o)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", o->out, r->name);

	return !o->refresh && !o->verify && access(dir, F_OK) == 0;
}

/* A package unpacks to twice its size at least. With a cached base, preflight_output()
 * checks the rest: the root image may be cached as well. */
static void check_space(const struct preflight *p, const struct recipe *r,
			const struct build_options *o, uint64_t fetch, struct mistakes *m)
{
	const struct base_preview *b = &p->base;
	_cleanup_free_ char *cache = o->cache ? xstrdup(o->cache) : cache_dir_default();
	uint64_t debs = b->debs > MIN_DEBS || !b->packages ? b->debs : MIN_DEBS;
	uint64_t tree = 2 * debs > MIN_TREE || !b->packages ? 2 * debs : MIN_TREE;
	bool make = !b->made;
	const struct space_need needs[] = {
		{temp_dir(), "temporary files ($TMPDIR)", make ? debs + tree : 0},
		{cache ? cache : ".", "inputs and base (--cache)",
		 fetch + b->fetch + (make ? tree : 0)},
		output_need(r, o->out, make && !may_be_unchanged(r, o) ? tree : 0),
	};

	/* A recipe without path_exclude unpacks everything. */
	if (r->base.path_exclude && make)
		return;
	space_check(needs, ARRAY_SIZE(needs), &m->unable);
}

int preflight_output(const struct recipe *r, const char *out, const struct index *base,
		     struct err *e)
{
	struct space_need need;
	uint64_t root = 0;

	for (size_t i = 0; i < base->n; i++) {
		const struct index_entry *x = &base->v[i];

		if (x->type == ENTRY_FILE && !x->dropped)
			root += x->size < MAX_FILE ? x->size : MAX_FILE;
	}
	need = output_need(r, out, root);
	return space_check_one(&need, e);
}

int preflight(struct preflight *ret, const struct recipe *r,
	      const struct build_options *o, bool dry, struct err *e)
{
	_cleanup_mistakes_ struct mistakes m = {0};
	const struct base_options bo = {
		.mirrors = o->mirrors,
		.offline = o->offline,
		.refresh = o->refresh,
	};
	uint64_t fetch;

	check_out(o->out, r->name, &m);
	check_temp_dir(&m);
	check_firstboot(o->firstboot, &m);
	check_tools(r, &m);
	open_cache(ret, o, dry, &m);
	fetch = check_inputs(ret, r, o, dry, &m);
	check_base(&ret->base, r, &ret->lock, ret->cache.fd >= 0 ? &ret->cache : NULL,
		   &bo, &m);
	check_space(ret, r, o, fetch, &m);
	return mistakes_err(&m, e);
}

void preflight_done(struct preflight *p)
{
	lock_done(&p->lock);
	cache_done(&p->cache);
}
