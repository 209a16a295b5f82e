/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans the cache folder by folder. Others may use the cache meanwhile: an entry that
 * disappears during the scan is left out.
 */
#include "builder/input/cache-scan.h"

#include "builder/common/foreign.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/url.h"

#include <ctype.h>

#define NOTE_MAX (64 * 1024)

void cached_list_done(struct cached_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].name);
		strv_builder_done(&l->v[i].urls);
	}
	free(l->v);
	*l = (struct cached_list){0};
}

static struct cached *add(struct cached_list *l, enum cached_kind kind, const char *path,
			  const char *name)
{
	struct cached *x;

	l->v = xgrow(l->v, l->n, sizeof(*l->v));
	x = &l->v[l->n++];
	*x = (struct cached){.kind = kind, .path = xstrdup(path), .name = xstrdup(name)};
	return x;
}

/* Sets *ret to the sorted names in a folder of the cache. Owned by the caller. */
static int names_in(const struct cache *c, const char *path, char ***ret, struct err *e)
{
	int r = dir_names_at(c->fd, path, ret);

	return r < 0 ? err_errno(e, r, "cache %s: %s", c->dir, path) : 0;
}

static int scan_inputs(struct cached_list *l, const struct cache *c, struct err *e)
{
	_cleanup_strv_ char **names = NULL;

	if (names_in(c, "blobs/sha256", &names, e) < 0)
		return -1;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("blobs/sha256/%s", names[i]);
		_cleanup_free_ char *memo = xasprintf("known/%s", names[i]);
		struct cached *x;
		struct stat st;

		if (fstatat(c->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || !digest_is_hex(names[i], DIGEST_SHA256))
			continue;
		x = add(l, CACHED_INPUT, path, names[i]);
		x->bytes = (uint64_t)st.st_size;
		x->used = st.st_mtime;
		if (fstatat(c->fd, memo, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime > x->used)
			x->used = st.st_mtime;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cached *)a)->name, ((const struct cached *)b)->name);
}

/* Finds an input while the list has nothing else: scan_inputs() adds them by name. */
static struct cached *find_input(const struct cached_list *l, const char *sha256)
{
	struct cached key = {.name = (char *)sha256};

	return l->n > 0 ? bsearch(&key, l->v, l->n, sizeof(key), by_name) : NULL;
}

/* Reads a file of url/ (cache.h). Returns the URL and sets sha256; NULL when the file is
 * damaged, or not named after the URL. Owned by the caller. */
static char *read_note(const struct cache *c, const char *path, char sha256[static 65])
{
	_cleanup_free_ char *text = NULL, *url = NULL, *want = NULL;
	char key[DIGEST_HEX_MAX];

	if (file_read_foreign_at(c->fd, path, NOTE_MAX, &text, NULL) < 0 ||
	    strlen(text) < 66)
		return NULL;
	memcpy(sha256, text, 64);
	sha256[64] = '\0';
	url = xstrndup(text + 65, strcspn(text + 65, "\n"));
	want = cache_url_note(url, sha256);
	digest_text(DIGEST_SHA256, url, strlen(url), key);
	return streq(text, want) && str_ends(path, key) ? TAKE_PTR(url) : NULL;
}

static int scan_urls(struct cached_list *l, const struct cache *c, struct err *e)
{
	_cleanup_strv_ char **names = NULL;

	if (names_in(c, "url", &names, e) < 0)
		return -1;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("url/%s", names[i]), *url = NULL;
		struct cached *x;
		char sha256[65];

		url = read_note(c, path, sha256);
		x = url ? find_input(l, sha256) : NULL;
		if (x && !url_has_userinfo(url))
			strv_builder_add(&x->urls, url);
	}
	return 0;
}

static uint64_t folder_bytes(const struct cache *c, const char *path)
{
	_cleanup_strv_ char **names = NULL;
	uint64_t bytes = 0;

	if (names_in(c, path, &names, NULL) < 0)
		return 0;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, names[i]);
		struct stat st;

		if (fstatat(c->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_blocks * 512;
	}
	return bytes;
}

static int scan_partials(struct cached_list *l, const struct cache *c, struct err *e)
{
	_cleanup_strv_ char **names = NULL;

	if (names_in(c, "partial", &names, e) < 0)
		return -1;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("partial/%s", names[i]);
		_cleanup_free_ char *meta = xasprintf("%s.meta", path), *text = NULL;
		struct cached *x;
		struct stat st;

		if (str_ends(path, ".meta") || fstatat(c->fd, path, &st, 0) < 0)
			continue;
		x = add(l, names[i][0] == '.' ? CACHED_RUBBISH : CACHED_PARTIAL, path,
			"");
		x->bytes = S_ISDIR(st.st_mode) ? folder_bytes(c, path)
					       : (uint64_t)st.st_size;
		x->used = st.st_mtime;
		if (file_read_foreign_at(c->fd, meta, NOTE_MAX, &text, NULL) == 0) {
			text[strcspn(text, "\n")] = '\0';
			url_strip_userinfo(text);
			strv_builder_add(&x->urls, text);
		}
	}
	return 0;
}

/* --- bases ------------------------------------------------------------------------- */

/* Returns "suite bookworm, kernel linux-image-amd64", from the base's file inputs. Owned
 * by the caller. */
static char *describe_base(const struct cache *c, const char *path)
{
	static const char *const keys[] = {"suite ", "kernel "};
	_cleanup_free_ char *file = xasprintf("%s/inputs", path), *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct buf b = {0};

	if (file_read_foreign_at(c->fd, file, 1 << 20, &text, NULL) == 0)
		lines = strv_split(text, "\n");
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		for (size_t i = 0; lines && lines[i]; i++)
			if (str_after(lines[i], keys[k]))
				buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", lines[i]);
	return buf_take(&b);
}

static int scan_bases(struct cached_list *l, const struct cache *c, struct err *e)
{
	_cleanup_strv_ char **names = NULL;

	if (names_in(c, "base", &names, e) < 0)
		return -1;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("base/%s", names[i]);
		_cleanup_free_ char *complete = xasprintf("%s/complete", path);
		_cleanup_free_ char *what = NULL;
		struct cached *x;
		struct stat st;

		if (fstatat(c->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		x = add(l, names[i][0] == '.' ? CACHED_RUBBISH : CACHED_BASE, path,
			names[i][0] == '.' ? "" : names[i]);
		x->bytes = folder_bytes(c, path);
		x->used = st.st_mtime;
		if (fstatat(c->fd, complete, &st, 0) == 0)
			x->used = st.st_mtime;
		what = describe_base(c, path);
		if (*what)
			strv_builder_add(&x->urls, what);
	}
	return 0;
}

/* Scans root/, which is absent before the first build. */
static int scan_roots(struct cached_list *l, const struct cache *c)
{
	_cleanup_strv_ char **names = NULL;

	if (names_in(c, "root", &names, NULL) < 0)
		return 0;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("root/%s", names[i]);
		bool whole = names[i][0] != '.';
		struct cached *x;
		struct stat st;

		if (fstatat(c->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		x = add(l, whole ? CACHED_ROOT : CACHED_RUBBISH, path,
			whole ? names[i] : "");
		x->bytes = folder_bytes(c, path);
		x->used = st.st_mtime; /* root_cache_get() sets it */
	}
	return 0;
}

/* --- all of it --------------------------------------------------------------------- */

static int by_kind(const void *a, const void *b)
{
	const struct cached *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->path, y->path);
}

int cache_scan(struct cached_list *ret, const struct cache *c, struct err *e)
{
	_cleanup_cached_list_ struct cached_list l = {0};

	if (scan_inputs(&l, c, e) < 0 || scan_urls(&l, c, e) < 0 ||
	    scan_bases(&l, c, e) < 0 || scan_roots(&l, c) < 0 ||
	    scan_partials(&l, c, e) < 0)
		return -1;
	for (size_t i = 0; i < l.n; i++)
		strv_sort(l.v[i].urls.v);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_kind);
	*ret = l;
	l = (struct cached_list){0};
	return 0;
}

/* --- pruning ----------------------------------------------------------------------- */

static void remove_beside(const struct cache *c, const char *path, const char *suffix)
{
	_cleanup_free_ char *file = xasprintf("%s%s", path, suffix);

	unlinkat(c->fd, file, 0);
}

/* Returns the blob that the file FOLDER/NAME is for, or NULL when it is for none. Owned.
 */
static char *blob_of(const struct cache *c, const char *folder, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name), *url = NULL;
	char sha256[65];

	if (streq(folder, "url")) {
		url = read_note(c, path, sha256);
		/* An earlier version kept passwords in them. */
		return url && !url_has_userinfo(url)
			       ? xasprintf("blobs/sha256/%s", sha256)
			       : NULL;
	}
	if (streq(folder, "known"))
		return xasprintf("blobs/%s/%s",
				 digest_is_hex(name, DIGEST_SHA256) ? "sha256" : "sha512",
				 name);
	return streq(folder, "lock") ? NULL : xstrdup(path);
}

/* Removes notes, memos and links whose blob is gone, and all locks: nobody holds one. */
static int remove_loose(const struct cache *c, struct err *e)
{
	static const char *const folders[] = {"url", "blobs/sha512", "known", "lock"};

	for (size_t k = 0; k < ARRAY_SIZE(folders); k++) {
		_cleanup_strv_ char **names = NULL;

		if (names_in(c, folders[k], &names, e) < 0)
			return -1;
		for (size_t i = 0; names && names[i]; i++) {
			_cleanup_free_ char *blob = blob_of(c, folders[k], names[i]);
			_cleanup_free_ char *path =
				xasprintf("%s/%s", folders[k], names[i]);

			if (names[i][0] == '.' || !blob ||
			    faccessat(c->fd, blob, F_OK, 0) < 0)
				rm_rf_at(c->fd, path);
		}
	}
	return 0;
}

/* Removes memos and records that were not used since `before`; what they say is found out
 * again. */
static void remove_old(const struct cache *c, time_t before)
{
	static const char *const folders[] = {"files", "built", "containers", "apt"};

	for (size_t k = 0; k < ARRAY_SIZE(folders); k++) {
		_cleanup_strv_ char **names = NULL;

		if (names_in(c, folders[k], &names, NULL) < 0)
			continue;
		for (size_t i = 0; names && names[i]; i++) {
			_cleanup_free_ char *path =
				xasprintf("%s/%s", folders[k], names[i]);
			struct stat st;

			if (fstatat(c->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    st.st_mtime < before)
				rm_rf_at(c->fd, path);
		}
	}
}

int cache_prune(const struct cache *c, struct cached_list *l, time_t before, bool dry,
		struct err *e)
{
	int first = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct cached *x = &l->v[i];
		int r = 0;

		if (x->used >= before && x->kind != CACHED_RUBBISH)
			continue;
		if (!dry)
			r = rm_rf_at(c->fd, x->path);
		if (r == -EACCES && !foreign_can_use(c->dir))
			return foreign_err("cache ", c->dir, CACHE_ADVICE, e);
		if (r < 0) {
			first = first < 0 ? first
					  : err_errno(e, r, "cache %s: %s", c->dir,
						      x->path);
			continue;
		}
		if (!dry && x->kind == CACHED_PARTIAL)
			remove_beside(c, x->path, ".meta");
		if (!dry && x->kind == CACHED_BASE)
			remove_beside(c, x->path, ".log");
		free(TAKE_PTR(x->path));
	}
	if (dry || first < 0)
		return first;
	remove_old(c, before);
	return remove_loose(c, e);
}
