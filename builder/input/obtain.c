/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A missing input is fetched under a lock of its URL, so that two builds at once do not
 * write into the same growing file; after waiting for a lock, the cache is searched
 * again. Locks are taken in one order, so that two recipes with the same artifacts cannot
 * wait for each other, and BATCH of them at a time, because each is a descriptor: a base
 * may need a thousand packages, and a process usually may have 1024 descriptors.
 */
#include "builder/input/obtain.h"

#include "builder/common/mistakes.h"
#include "builder/input/mirror.h"
#include "builder/input/registry.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#define BATCH 256

/* An input that has to be fetched. */
struct download {
	struct want *want;
	char key[DIGEST_HEX_MAX]; /* hex digest of the URL */
	char *path, *url;
	char sha512[DIGEST_HEX_MAX]; /* of the fetched file; "" if no want of the URL has
					one */
	int lock_fd;                 /* -1: another download of the same URL holds it */
};

struct downloads {
	struct download *v;
	size_t n;
};

static void downloads_done(struct downloads *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].url);
		if (m->v[i].lock_fd >= 0)
			close(m->v[i].lock_fd);
	}
	free(m->v);
}
#define _cleanup_downloads_ _cleanup_(downloads_done)

static void download_add(struct downloads *m, struct want *w, char *const *mirrors)
{
	struct download *x;

	m->v = xgrow(m->v, m->n, sizeof(*m->v));
	x = &m->v[m->n++];
	*x = (struct download){.want = w, .lock_fd = -1};
	digest_text(DIGEST_SHA256, w->url, strlen(w->url), x->key);
	x->path = xasprintf("partial/%s", x->key);
	x->url = mirror_find(mirrors, w->url, w->source ? w->source : w->url);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct download *)a)->key,
		      ((const struct download *)b)->key);
}

/* Sorts downloads in the order of the wants: so they are fetched, and so failures are
 * reported. */
static int by_want(const void *a, const void *b)
{
	const struct want *x = ((const struct download *)a)->want;
	const struct want *y = ((const struct download *)b)->want;

	return x < y ? -1 : x > y;
}

static int downloads_lock(struct downloads *m, const struct cache *c, struct err *e)
{
	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_key);
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_free_ char *name = xasprintf("fetch-%s", m->v[i].key);

		if (i > 0 && streq(m->v[i].key, m->v[i - 1].key))
			continue;
		if (cache_lock(c, name, &m->v[i].lock_fd, e) < 0)
			return -1;
	}
	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_want);
	return 0;
}

/* --- what is there ----------------------------------------------------------------- */

static int check_weak(const struct want *w, struct err *e)
{
	char got[DIGEST_HEX_MAX];
	int r;

	if (!w->weak)
		return 0;
	r = digest_fd(w->blob.fd, w->weak_type, got, NULL);
	if (r < 0 || lseek(w->blob.fd, 0, SEEK_SET) < 0)
		return err_errno(e, r < 0 ? r : errno, "%s", w->url);
	if (streq(got, w->weak))
		return 0;
	return err_set(e, ERR_FAILED, "%s: %s is %s, expected %s (%s)", w->url,
		       digest_name(w->weak_type), got, w->weak, w->weak_by);
}

static int check_size(const struct want *w, struct err *e)
{
	const struct fetch_file f = {.max_size = w->max_size, .raise = w->raise};

	return fetch_check_size(&f, w->blob.size, w->url, e);
}

/* Opens the input in the cache. Returns 1, 0 when it is not in the cache, or -1. */
static int open_want(struct want *w, const struct cache *c,
		     const struct obtain_options *o, struct err *e)
{
	int r = cache_blob_open(c, w->type, w->digest, &w->blob, e);

	if (r <= 0)
		return r;
	if (check_size(w, e) < 0 || check_weak(w, e) < 0)
		return -1;
	cache_note_url(c, w->url, w->blob.sha256);
	if (o->closed)
		close(TAKE_FD(w->blob.fd));
	return 1;
}

/* --- fetching ---------------------------------------------------------------------- */

static struct fetch_file fetch_file_of(const struct download *x, const struct cache *c)
{
	const struct want *w = x->want;

	return (struct fetch_file){
		.name = w->name,
		.url = x->url,
		.shown = w->url,
		.dir = c->dir,
		.dirfd = c->fd,
		.path = x->path,
		.size = w->size,
		.max_size = w->max_size,
		.raise = w->raise,
		.digest = w->digest,
		.digest_type = w->type,
		.expected_by = w->by,
		.weak = w->weak,
		.weak_type = w->weak_type,
		.weak_by = w->weak_by,
	};
}

/* Moves a fetched file among the blobs, and tells every want of its URL. */
static int store_file(struct downloads *m, struct fetch_file *f, const struct cache *c,
		      struct err *e)
{
	_cleanup_free_ char *note = xasprintf("%s.meta", f->path);
	int r = cache_blob_add(c, f->path, f->sha256, f->sha512, e);

	unlinkat(c->fd, note, 0);
	if (r == 0)
		cache_note_url(c, f->shown, f->sha256);
	for (size_t i = 0; i < m->n; i++) {
		struct want *w = m->v[i].want;

		if (!streq(w->url, f->shown))
			continue;
		w->fetched = true;
		memcpy(m->v[i].sha512, f->sha512, sizeof(f->sha512));
		w->blob.size = f->got;
		memcpy(w->blob.sha256, f->sha256, sizeof(f->sha256));
		free(w->from);
		w->from = xstrdup(f->from);
	}
	return r;
}

/* Combines the wants of a URL, which share one download but need not have the same
 * digest. Looks at every download, of which there are at most BATCH. */
static bool wants_sha512(const struct downloads *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].want->type == DIGEST_SHA512 && streq(m->v[i].key, key))
			return true;
	return false;
}

/* Sets the smallest max_size of the wants of a URL. */
static void set_max_size(struct fetch_file *f, const struct downloads *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct want *w = m->v[i].want;

		if (!streq(m->v[i].key, key) || w->max_size == 0 ||
		    (f->max_size && f->max_size <= w->max_size))
			continue;
		f->max_size = w->max_size;
		f->raise = w->raise;
	}
}

/* Fetches the downloads whose lock is held. */
static int downloads_fetch(struct downloads *m, const struct cache *c,
			   const struct obtain_options *o, struct err *e)
{
	_cleanup_free_ struct fetch_file *files = xcalloc(m->n + 1, sizeof(*files));
	struct fetch_options fo = {.quiet = o->quiet, .netrc = o->netrc};
	size_t n = 0;
	int result;

	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].lock_fd >= 0) {
			files[n] = fetch_file_of(&m->v[i], c);
			set_max_size(&files[n], m, m->v[i].key);
			files[n++].want_sha512 = wants_sha512(m, m->v[i].key);
		}
	result = registry_fetch_all(files, n, &fo, e);
	for (size_t i = 0; i < n; i++) {
		if (files[i].sha256[0] &&
		    store_file(m, &files[i], c, result < 0 ? NULL : e) < 0)
			result = -1;
		free(files[i].from);
	}
	return result;
}

/* Drops the downloads that another process fetched while this one waited for the lock. */
static int drop_found(struct downloads *m, const struct cache *c,
		      const struct obtain_options *o, struct err *e)
{
	size_t kept = 0;
	int result = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct download *x = &m->v[i];
		int found = result == 0 ? open_want(x->want, c, o, e) : 0;

		if (found < 0)
			result = -1;
		if (found <= 0) {
			m->v[kept++] = *x;
			continue;
		}
		/* Other downloads of the URL found the file as well, so the lock can
		 * go. */
		if (x->lock_fd >= 0)
			close(x->lock_fd);
		free(x->path);
		free(x->url);
	}
	m->n = kept;
	return result;
}

/* Opens a file that was just fetched. It was digested while it was fetched and is not
 * read again, unless the download was checked for another want of its URL. Returns 1, 0
 * or -1 as open_want(). */
static int open_fetched(struct want *w, const struct cache *c,
			const struct obtain_options *o, struct err *e)
{
	_cleanup_free_ char *path = NULL;

	if (!w->fetched || w->weak || w->type != DIGEST_SHA256 ||
	    !streq(w->digest, w->blob.sha256))
		return open_want(w, c, o, e);
	if (o->closed)
		return 1;
	path = cache_blob_path(c, &w->blob);
	w->blob.fd = file_open_regular_at(AT_FDCWD, path);
	if (w->blob.fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", path, file_strerror(w->blob.fd));
	return 1;
}

static int refuse_other(const struct want *w, struct err *e)
{
	return err_set(e, ERR_FAILED, "%s: another %s is wanted for the same URL (%s)",
		       w->url, digest_name(w->type), w->where);
}

/* Opens everything that was fetched. One download serves all wants of its URL, so it may
 * not match each of them. */
static int open_all(struct downloads *m, const struct cache *c,
		    const struct obtain_options *o, struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		struct want *w = m->v[i].want;
		int found = open_fetched(w, c, o, e);

		if (found <= 0)
			return found < 0 ? -1 : refuse_other(w, e);
	}
	return 0;
}

/* Fetches the downloads that no other process has fetched meanwhile. */
static int fetch_missing(struct downloads *m, const struct cache *c,
			 const struct obtain_options *o, struct err *e)
{
	if (downloads_lock(m, c, e) < 0 || drop_found(m, c, o, e) < 0 ||
	    downloads_fetch(m, c, o, e) < 0)
		return -1;
	return open_all(m, c, o, e);
}

/* Fetches everything. A want without a digest accepts the digest of the fetched file; one
 * with another digest fails, even if the cache has a file with that digest. */
static int fetch_anew(struct downloads *m, const struct cache *c,
		      const struct obtain_options *o, struct err *e)
{
	if (downloads_lock(m, c, e) < 0 || downloads_fetch(m, c, o, e) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		struct want *w = m->v[i].want;
		const char *came =
			w->type == DIGEST_SHA512 ? m->v[i].sha512 : w->blob.sha256;

		if (w->digest && !streq(w->digest, came))
			return refuse_other(w, e);
		if (w->digest)
			continue;
		memcpy(w->came, w->blob.sha256, sizeof(w->came));
		w->type = DIGEST_SHA256;
		w->digest = w->came;
	}
	return open_all(m, c, o, e);
}

typedef int fetch_batch(struct downloads *m, const struct cache *c,
			const struct obtain_options *o, struct err *e);

/* A failure in one batch does not keep the next from being fetched. */
static int in_batches(fetch_batch *fetch, struct want *const *v, size_t n,
		      const struct cache *c, const struct obtain_options *o,
		      struct err *e)
{
	_cleanup_mistakes_ struct mistakes all = {0};

	while (n > 0) {
		_cleanup_downloads_ struct downloads m = {0};
		struct err own = {0};

		for (; n > 0 && m.n < BATCH; v++, n--)
			download_add(&m, *v, o->mirrors);
		if (fetch(&m, c, o, &own) < 0)
			mistakes_add(&all, &own);
	}
	return mistakes_err(&all, e);
}

/* --- all of them ------------------------------------------------------------------- */

int obtain_refuse_offline(const struct want *first, size_t n, struct err *e)
{
	if (n == 1)
		return err_set(e, ERR_FAILED,
			       "%s is not in the cache, and --offline was given",
			       first->where);
	return err_set(e, ERR_FAILED,
		       "%s and %zu more are not in the cache, and --offline was given",
		       first->where, n - 1);
}

int obtain(struct want *v, size_t n, const struct cache *c,
	   const struct obtain_options *o, struct err *e)
{
	_cleanup_free_ struct want **missing = xcalloc(n + 1, sizeof(*missing));
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		int found = open_want(&v[i], c, o, e);

		if (found < 0)
			return -1;
		if (found == 0)
			missing[k++] = &v[i];
	}
	if (k > 0 && o->offline)
		return obtain_refuse_offline(missing[0], k, e);
	return in_batches(fetch_missing, missing, k, c, o, e);
}

int obtain_anew(struct want *v, size_t n, const struct cache *c,
		const struct obtain_options *o, struct err *e)
{
	_cleanup_free_ struct want **all = xcalloc(n + 1, sizeof(*all));

	for (size_t i = 0; i < n; i++)
		all[i] = &v[i];
	return in_batches(fetch_anew, all, n, c, o, e);
}

const char *wants_keep(struct wants *w, char *text)
{
	strv_builder_add(&w->texts, text);
	free(text);
	return w->texts.v[w->texts.n - 1];
}

void wants_done(struct wants *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].blob.fd >= 0)
			close(w->v[i].blob.fd);
		free(w->v[i].from);
	}
	free(w->v);
	strv_builder_done(&w->texts);
	*w = (struct wants){0};
}
