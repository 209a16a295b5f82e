/* SPDX-License-Identifier: Apache-2.0 */
/* Determines what each artifact must be, from the recipe and its lock; obtain.c fetches
 * it. */
#include "builder/input/inputs.h"

#include "builder/common/progress.h"
#include "builder/common/tool.h"
#include "builder/input/mirror.h"
#include "builder/input/obtain.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/str.h"
#include "lib/url.h"

#include <fcntl.h>
#include <time.h>

#define NAMES_MAX 8 /* names of inputs in one message */

/* The keys that raise max_size, for messages. */
static const char *const max_size_keys[] = {
	[ARTIFACT_FILES] = "key 'max_size' of the artifact",
	[ARTIFACT_BASE] = "key 'max_size' of the base",
	[ARTIFACT_CONTAINER] = "key 'max_size' of the container",
};

static void wants_begin(struct wants *w, const struct recipe *r)
{
	w->n = r->n_artifacts;
	w->v = xcalloc(w->n + 1, sizeof(*w->v));
	for (size_t i = 0; i < w->n; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];
		_cleanup_free_ char *title = recipe_artifact_title(a);

		w->v[i] = (struct want){
			.name = a->name,
			.url = a->url,
			.source = a->source,
			.where = wants_keep(w, xasprintf("%s: %s", a->where, title)),
			.max_size = a->max_size,
			.raise = max_size_keys[a->use],
			.blob = {.fd = -1},
		};
		if (a->digest && digest_is_weak(a->digest_type)) {
			w->v[i].weak = a->digest;
			w->v[i].weak_type = a->digest_type;
			w->v[i].weak_by = a->where;
		} else if (a->digest) {
			w->v[i].digest = a->digest;
			w->v[i].type = a->digest_type;
			w->v[i].by = a->where;
		}
	}
}

static int contradiction(const struct want *w, const struct lock_entry *l,
			 const char *sha256, struct diag *d)
{
	return diag_add(d,
			"%s: sha256 is %s in the recipe, but %s in the lock (%s): run "
			"`rackstrap lock` if the recipe is right",
			w->where, sha256, l->sha256, l->where);
}

/* The inputs without any digest. */
struct unpinned {
	const struct recipe_artifact **v;
	size_t n;
};

/* The recipe's own digest comes first; a broken one (SHA-1, MD5) does not count. */
static void pin(struct want *w, const struct recipe_artifact *a, const struct lock *lock,
		const struct recipe *r, struct unpinned *u, struct diag *d)
{
	const struct lock_entry *l = lock_find(lock, w->url);

	w->size = l ? l->size : 0;
	if (w->digest && l && w->type == DIGEST_SHA256 && !streq(w->digest, l->sha256))
		contradiction(w, l, w->digest, d);
	if (w->digest)
		return;
	if (l) {
		w->type = DIGEST_SHA256;
		w->digest = l->sha256;
		w->by = l->where;
	} else if (w->weak) {
		diag_add(d,
			 "%s: %s alone is not enough: give it sha256 or sha512, or run "
			 "`rackstrap lock %s`, which checks it",
			 w->where, digest_name(w->weak_type), r->file);
	} else {
		u->v[u->n++] = a;
	}
}

/* Returns true for a stand-in on a server that cannot exist (RFC 2606): whoever made it
 * serves it. */
static bool is_made_here(const struct recipe_artifact *a)
{
	const char *host = url_authority(a->url);
	size_t n = host ? strcspn(host, "/:") : 0;

	return a->standin && n > 8 && strncmp(host + n - 8, ".invalid", 8) == 0;
}

/* Complains once about all inputs without a digest that are made here, or are not. */
static void complain_unpinned(const struct unpinned *u, bool made_here,
			      const struct recipe *r, struct diag *d)
{
	_cleanup_buf_ struct buf names = {0};
	const struct recipe_artifact *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++) {
		_cleanup_free_ char *title = recipe_artifact_title(u->v[i]);

		if (is_made_here(u->v[i]) != made_here)
			continue;
		first = first ? first : u->v[i];
		if (n++ < NAMES_MAX)
			buf_printf(&names, "%s%s", n > 1 ? ", " : "", title);
	}
	if (n == 0)
		return;
	if (n > NAMES_MAX)
		buf_printf(&names, " and %zu more", n - NAMES_MAX);
	if (made_here)
		diag_add(d,
			 "%s: %s: no digest, and stand-ins that no server has: "
			 "`test/bake %s` in the sources of rackstrap makes, serves and "
			 "locks them",
			 first->where, names.p, r->dir);
	else
		diag_add(d,
			 "%s: %s: no digest: give %s sha256 or sha512, or run `rackstrap "
			 "lock %s`",
			 first->where, names.p, n > 1 ? "each" : "it", r->file);
}

static void pin_all(struct wants *w, const struct recipe *r, const struct lock *lock,
		    struct diag *d)
{
	_cleanup_free_ const struct recipe_artifact **v = xcalloc(w->n + 1, sizeof(*v));
	struct unpinned u = {.v = v};

	for (size_t i = 0; i < w->n; i++)
		pin(&w->v[i], &r->artifacts[i], lock, r, &u, d);
	complain_unpinned(&u, false, r, d);
	complain_unpinned(&u, true, r, d);
}

/* Makes inputs of the artifacts; they own the descriptors from then on. */
static struct inputs wants_take(struct wants *w, const struct recipe *r,
				const struct cache *c)
{
	struct inputs in = {.v = xcalloc(w->n + 1, sizeof(*in.v))};

	for (size_t i = 0; i < w->n; i++) {
		in.v[in.n++] = (struct input){&r->artifacts[i], w->v[i].blob, c};
		w->v[i].blob.fd = -1;
		in.bytes += w->v[i].blob.size;
		in.fetched += w->v[i].fetched;
	}
	return in;
}

int inputs_get(struct inputs *ret, const struct recipe *r, const struct lock *lock,
	       const struct cache *c, const struct inputs_options *o, struct err *e)
{
	_cleanup_wants_ struct wants w = {0};
	_cleanup_diag_ struct diag d = {0};
	struct obtain_options oo = {
		.mirrors = o->mirrors,
		.netrc = o->netrc,
		.offline = o->offline,
		.closed = true,
	};

	wants_begin(&w, r);
	pin_all(&w, r, lock, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	interrupt_set_kept("the downloads stay in the cache");
	stages_name("fetching the inputs");
	if (obtain(w.v, w.n, c, &oo, e) < 0)
		return -1;
	/* Only a recipe that pins with SHA-512 can have another SHA-256 here. */
	for (size_t i = 0; i < w.n; i++) {
		const struct lock_entry *l = lock_find(lock, w.v[i].url);

		if (l && !streq(l->sha256, w.v[i].blob.sha256))
			contradiction(&w.v[i], l, w.v[i].blob.sha256, &d);
	}
	if (diag_err(&d, e) < 0)
		return -1;
	*ret = wants_take(&w, r, c);
	return 0;
}

int input_open(const struct input *in, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (in->blob.fd >= 0) {
		fd = fcntl(in->blob.fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
			return err_errno(e, errno, "a file of an input");
		return TAKE_FD(fd);
	}
	path = cache_blob_path(in->cache, &in->blob);
	fd = file_open_regular_at(AT_FDCWD, path);
	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", path, file_strerror(fd));
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if ((uint64_t)st.st_size != in->blob.size)
		return err_set(e, ERR_FAILED,
			       "%s: changed since it was checked: run again", path);
	return TAKE_FD(fd);
}

/* Complains if a container image is to be fetched and the program for that is missing. */
static void preview_fetch(const struct want *w, char *const *mirrors, struct diag *unable)
{
	static const struct tool skopeo[] = {{"skopeo", "skopeo"}, {NULL, NULL}};
	_cleanup_free_ char *url =
		mirror_find(mirrors, w->url, w->source ? w->source : w->url);

	if (str_after(url, "docker://"))
		tools_missing(skopeo, "", unable);
}

int inputs_preview(struct inputs *ret, const struct recipe *r, const struct lock *lock,
		   const struct cache *c, const struct inputs_options *o,
		   uint64_t *ret_fetch, struct mistakes *m, struct err *e)
{
	_cleanup_wants_ struct wants w = {0};
	const struct want *missing = NULL;
	struct err offline = {0};
	size_t n = 0;

	*ret_fetch = 0;
	wants_begin(&w, r);
	pin_all(&w, r, lock, &m->config);
	for (size_t i = 0; i < w.n; i++) {
		struct want *x = &w.v[i];
		bool found = c && x->digest && cache_blob_exists(c, x->type, x->digest);

		if (found && ret &&
		    cache_blob_open(c, x->type, x->digest, &x->blob, e) < 0)
			return -1;
		if (found && x->blob.fd >= 0)
			close(TAKE_FD(x->blob.fd)); /* there may be many */
		if (found)
			continue;
		*ret_fetch += x->size;
		if (!o->offline)
			preview_fetch(x, o->mirrors, &m->unable);
		else if (x->digest && n++ == 0)
			missing = x;
	}
	if (n > 0) {
		(void)obtain_refuse_offline(missing, n, &offline);
		mistakes_add(m, &offline);
	}
	if (ret)
		*ret = wants_take(&w, r, c);
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

static void note(struct lock *lock, const struct lock *old, const struct want *w,
		 char *const *mirrors)
{
	const struct lock_entry *was = lock_find(old, w->url);
	const char *source = w->source ? w->source : w->url;
	_cleanup_free_ char *url = mirror_find(mirrors, w->url, source);
	struct lock_entry *x = lock_add(lock, w->url, w->blob.size, w->blob.sha256);

	if (was && streq(was->sha256, w->blob.sha256) && was->when) {
		x->when = xstrdup(was->when);
		x->from = xstrdup(was->from);
	} else {
		x->when = lock_time(time(NULL));
		x->from = xstrdup(streq(url, source) ? w->from : "mirror");
	}
}

int inputs_lock(struct inputs *ret, struct lock *lock, const struct lock *old,
		const struct recipe *r, const struct cache *c,
		const struct inputs_options *o, struct err *e)
{
	_cleanup_wants_ struct wants w = {0};
	struct obtain_options oo = {
		.mirrors = o->mirrors, .netrc = o->netrc, .closed = true};

	wants_begin(&w, r);
	interrupt_set_kept("the downloads stay in the cache");
	stages_name("fetching the inputs");
	if (obtain_anew(w.v, w.n, c, &oo, e) < 0)
		return -1;
	for (size_t i = 0; i < w.n; i++)
		if (!lock_find(lock, w.v[i].url))
			note(lock, old, &w.v[i], o->mirrors);
	*ret = wants_take(&w, r, c);
	return 0;
}
