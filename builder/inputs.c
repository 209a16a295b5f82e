/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is missing is fetched under a lock of its URL, so that two builds at once do not
 * write into the same growing file; who had to wait looks into the cache again. Locks
 * are taken in one order, or two recipes with the same artifacts could wait for each
 * other.
 */
#include "inputs.h"

#include "lib/file.h"
#include "lib/log.h"
#include "mirror.h"
#include "registry.h"

/* What an artifact must be, from the recipe, its lock, or both. */
struct pin {
	enum digest_type type;
	const char *digest; /* NULL: nobody says */
	uint64_t size;      /* 0: nobody says */
	const char *by;
};

/* An artifact that is not in the cache. */
struct missing {
	size_t index; /* in the recipe */
	struct pin pin;
	char key[DIGEST_HEX_MAX]; /* of the URL */
	char *path, *url;
	int lock_fd;
};

struct missings {
	struct missing *v;
	size_t n;
};

static void missings_done(struct missings *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].url);
		if (m->v[i].lock_fd >= 0)
			close(m->v[i].lock_fd);
	}
	free(m->v);
}
#define _cleanup_missings_ _cleanup_(missings_done)

static int pin_contradiction(const struct recipe_artifact *a, const struct lock_entry *l,
			     const char *sha256, struct diag *d)
{
	return diag_add(
		d,
		"%s: artifact '%s': sha256 is %s in the recipe, but %s in the lock "
		"(%s): run `rackstrap lock` if the recipe is right",
		a->where, a->name, sha256, l->sha256, l->where);
}

/* Who says what the artifact is. The recipe's own digest comes first. */
static struct pin pin_of(const struct recipe_artifact *a, const struct lock *lock,
			 const struct recipe *r, struct diag *d)
{
	const struct lock_entry *l = lock_find(lock, a->url);
	struct pin p = {.size = l ? l->size : 0};

	if (a->digest) {
		p.type = a->digest_type;
		p.digest = a->digest;
		p.by = a->where;
		if (l && p.type == DIGEST_SHA256 && !streq(a->digest, l->sha256))
			pin_contradiction(a, l, a->digest, d);
	} else if (l) {
		p.type = DIGEST_SHA256;
		p.digest = l->sha256;
		p.by = l->where;
	} else {
		diag_add(d,
			 "%s: artifact '%s': no digest: give it sha256 or sha512, or run "
			 "`rackstrap lock %s`",
			 a->where, a->name, r->file);
	}
	return p;
}

static int open_input(struct input *in, const struct pin *p, const struct lock *lock,
		      const struct cache *c, struct err *e)
{
	const struct lock_entry *l = lock_find(lock, in->artifact->url);
	int r = cache_blob_open(c, p->type, p->digest, &in->blob, e);

	if (r <= 0)
		return r;
	/* Only a recipe that pins with SHA-512 can get here with another SHA-256. */
	if (l && !streq(l->sha256, in->blob.sha256)) {
		_cleanup_diag_ struct diag d = {0};

		pin_contradiction(in->artifact, l, in->blob.sha256, &d);
		return diag_err(&d, e);
	}
	return 1;
}

static void missing_add(struct missings *m, size_t index, const struct pin *pin,
			const char *url, char *const *mirrors)
{
	struct missing *x;

	m->v = xrealloc(m->v, (m->n + 1) * sizeof(*m->v));
	x = &m->v[m->n++];
	*x = (struct missing){.index = index, .pin = *pin, .lock_fd = -1};
	digest_text(DIGEST_SHA256, url, strlen(url), x->key);
	x->path = xasprintf("partial/%s", x->key);
	x->url = mirror_apply(mirrors, url);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct missing *)a)->key, ((const struct missing *)b)->key);
}

static int missings_lock(struct missings *m, const struct cache *c, struct err *e)
{
	qsort(m->v, m->n, sizeof(*m->v), by_key);
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_free_ char *name = xasprintf("fetch-%s", m->v[i].key);

		/* Two artifacts with one URL need one download. */
		if (i > 0 && streq(m->v[i].key, m->v[i - 1].key))
			continue;
		if (cache_lock(c, name, &m->v[i].lock_fd, e) < 0)
			return -1;
	}
	return 0;
}

/* Fetches those whose lock is held, and moves them among the blobs. */
static int missings_fetch(struct missings *m, const struct recipe *r,
			  const struct cache *c, struct fetch_file *files, struct err *e)
{
	size_t n = 0;
	int result;

	for (size_t i = 0; i < m->n; i++) {
		const struct missing *x = &m->v[i];

		if (x->lock_fd < 0)
			continue;
		files[n++] = (struct fetch_file){
			.name = r->artifacts[x->index].name,
			.url = x->url,
			.shown = r->artifacts[x->index].url,
			.dirfd = c->fd,
			.path = x->path,
			.size = x->pin.size,
			.digest = x->pin.digest,
			.digest_type = x->pin.type,
			.expected_by = x->pin.by,
		};
	}
	result = registry_fetch_all(files, n, NULL, e);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *note = xasprintf("%s.meta", files[i].path);

		if (!files[i].sha256[0])
			continue; /* failed */
		if (cache_blob_add(c, files[i].path, files[i].sha256, files[i].sha512,
				   result < 0 ? NULL : e) < 0)
			result = -1;
		unlinkat(c->fd, note, 0);
	}
	return result;
}

static int offline_error(const struct missings *m, const struct recipe *r, struct err *e)
{
	const struct recipe_artifact *a = &r->artifacts[m->v[0].index];

	return err_set(e, ERR_FAILED,
		       "%s: artifact '%s' is not in the cache, and --offline was given",
		       a->where, a->name);
}

static int fetch_missing(struct inputs *in, struct missings *m, const struct recipe *r,
			 const struct lock *lock, const struct cache *c, struct err *e)
{
	_cleanup_free_ struct fetch_file *files = xcalloc(m->n, sizeof(*files));
	struct missings rest = {0};
	int result = 0;

	if (missings_lock(m, c, e) < 0)
		return -1;
	/* Somebody else may have fetched it while we waited for the lock. */
	for (size_t i = 0; i < m->n && result == 0; i++) {
		struct missing *x = &m->v[i];
		int found = open_input(&in->v[x->index], &x->pin, lock, c, e);

		if (found < 0)
			result = -1;
		if (found == 0) {
			rest.v = xrealloc(rest.v, (rest.n + 1) * sizeof(*rest.v));
			rest.v[rest.n++] = *x;
		}
	}
	if (result == 0)
		result = missings_fetch(&rest, r, c, files, e);
	for (size_t i = 0; i < rest.n && result == 0; i++) {
		struct missing *x = &rest.v[i];
		int found = open_input(&in->v[x->index], &x->pin, lock, c, e);

		if (found < 0)
			result = -1;
		else if (found == 0)
			result = err_set(e, ERR_FAILED, "%s: is not in the cache again",
					 r->artifacts[x->index].url);
	}
	in->fetched = rest.n;
	free(rest.v); /* what is in it belongs to m */
	return result;
}

int inputs_get(struct inputs *ret, const struct recipe *r, const struct lock *lock,
	       const struct cache *c, const struct inputs_options *o, struct err *e)
{
	_cleanup_inputs_ struct inputs in = {0};
	_cleanup_missings_ struct missings m = {0};
	_cleanup_diag_ struct diag d = {0};

	in.v = xcalloc(r->n_artifacts, sizeof(*in.v));
	for (size_t i = 0; i < r->n_artifacts; i++) {
		in.v[i] = (struct input){&r->artifacts[i], {.fd = -1}};
		in.n++;
	}
	for (size_t i = 0; i < r->n_artifacts; i++) {
		struct pin p = pin_of(&r->artifacts[i], lock, r, &d);
		int found = p.digest ? open_input(&in.v[i], &p, lock, c, e) : 1;

		if (found < 0)
			return -1;
		if (found == 0)
			missing_add(&m, i, &p, r->artifacts[i].url, o->mirrors);
	}
	if (diag_err(&d, e) < 0)
		return -1;
	if (m.n > 0 && o->offline)
		return offline_error(&m, r, e);
	if (m.n > 0 && fetch_missing(&in, &m, r, lock, c, e) < 0)
		return -1;
	for (size_t i = 0; i < in.n; i++)
		in.bytes += in.v[i].blob.size;
	*ret = in;
	in = (struct inputs){0};
	return 0;
}

void inputs_done(struct inputs *i)
{
	for (size_t k = 0; k < i->n; k++)
		if (i->v[k].blob.fd >= 0)
			close(i->v[k].blob.fd);
	free(i->v);
	*i = (struct inputs){0};
}

int inputs_lock(struct lock *ret, const struct recipe *r, const struct cache *c,
		const struct inputs_options *o, struct err *e)
{
	_cleanup_free_ struct fetch_file *files = xcalloc(r->n_artifacts, sizeof(*files));
	_cleanup_missings_ struct missings m = {0};
	_cleanup_lock_ struct lock lock = {0};

	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];
		struct pin p = {
			.type = a->digest_type, .digest = a->digest, .by = a->where};

		missing_add(&m, i, &p, a->url, o->mirrors);
	}
	if (missings_lock(&m, c, e) < 0 || missings_fetch(&m, r, c, files, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_artifacts; i++)
		for (size_t k = 0; k < r->n_artifacts; k++)
			if (files[k].shown &&
			    streq(files[k].shown, r->artifacts[i].url) &&
			    !lock_find(&lock, files[k].shown))
				lock_add(&lock, files[k].shown, files[k].got,
					 files[k].sha256);
	*ret = lock;
	lock = (struct lock){0};
	return 0;
}
