/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs are copied, not linked, so that a change of the copy cannot damage the cache.
 * Each copy is written in a scratch folder within the folder, synced, and renamed when it
 * is complete, so the folder may be served meanwhile.
 */
#include "builder/common/leftovers.h"
#include "builder/input/cache-scan.h"
#include "builder/input/mirror.h"
#include "lib/dir.h"
#include "lib/durable.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#define SUMS "SHA256SUMS"

static bool is_there(int dirfd, const char *path, const struct cached *x)
{
	_cleanup_close_ int fd = file_open_foreign_at(dirfd, path);
	char sha256[DIGEST_HEX_MAX];

	return fd >= 0 && digest_fd(fd, DIGEST_SHA256, sha256, NULL) == 0 &&
	       streq(sha256, x->name);
}

struct export
{
	const struct cache *c;
	const char *dir;
	int dirfd, scratch; /* descriptors of the folder and the scratch folder in it */
	struct cache_exported result;
	struct strv_builder sums;
};

/* Makes the folders of the final name. */
static int make_parent(const struct export *x, const char *path)
{
	_cleanup_free_ char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (!slash)
		return 0;
	*slash = '\0';
	return mkdir_p_at(x->dirfd, folder, 0755);
}

/* Copies the input to the scratch folder, syncs it, and moves it to its final name.
 * Returns 1, 0 when the input was damaged meanwhile, or -errno. */
static int copy_blob(const struct export *x, const char *path, const char *sha256,
		     int from)
{
	static const char temp[] = "copy";
	_cleanup_close_ int to =
		openat(x->scratch, temp,
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	char got[DIGEST_HEX_MAX];
	int r = to < 0 ? -errno : digest_copy_fd(from, to, DIGEST_SHA256, got);

	if (r == 0)
		r = durable_close(&to);
	if (r == 0 && !streq(got, sha256))
		return 0;
	if (r == 0)
		r = make_parent(x, path);
	if (r == 0)
		r = durable_rename_at(x->scratch, temp, x->dirfd, path);
	return r < 0 ? r : 1;
}

static int export_url(struct export *x, const struct cached *in, const char *url,
		      struct err *e)
{
	_cleanup_free_ char *path = mirror_path(url);
	struct blob blob = {.fd = -1};
	int r;

	if (!path) {
		log_warn("%s: its path cannot be a file name; left out", url);
		return 0;
	}
	if (!is_there(x->dirfd, path, in)) {
		r = cache_blob_open(x->c, DIGEST_SHA256, in->name, &blob, e);
		if (r <= 0)
			return r; /* the file is damaged or gone, which was logged */
		r = copy_blob(x, path, in->name, blob.fd);
		close(blob.fd);
		if (r < 0)
			return err_errno(e, r, "%s/%s", x->dir, path);
		if (r == 0)
			return err_set(e, ERR_FAILED,
				       "cache %s: %s changed while it was read: run "
				       "again",
				       x->c->dir, in->path);
		x->result.copied++;
	}
	x->result.files++;
	x->result.bytes += in->bytes;
	strv_builder_addf(&x->sums, "%s  %s\n", in->name, path);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 66, *(char *const *)b + 66);
}

static int write_sums(struct export *x, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (x->sums.n > 0)
		qsort(x->sums.v, x->sums.n, sizeof(*x->sums.v), by_path);
	text = strv_join(x->sums.v, "");
	r = file_write_at(x->scratch, SUMS, text ? text : "", text ? strlen(text) : 0,
			  0644);
	if (r == 0)
		r = durable_rename_at(x->scratch, SUMS, x->dirfd, SUMS);
	return r < 0 ? err_errno(e, r, "%s/" SUMS, x->dir) : 0;
}

static int export_all(struct export *x, const struct cached_list *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; l->v[i].kind == CACHED_INPUT && k < l->v[i].urls.n;
		     k++)
			if (export_url(x, &l->v[i], l->v[i].urls.v[k], e) < 0)
				return -1;
	/* Syncs the folders that make_parent() made. */
	if (syncfs(x->dirfd) < 0)
		return err_errno(e, errno, "%s", x->dir);
	return write_sums(x, e);
}

int cache_export(struct cache_exported *ret, const struct cache *c,
		 const struct cached_list *l, const char *dir, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	_cleanup_close_ int dirfd = -1, scratch = -1;
	struct export x = {.c = c, .dir = dir};
	int r;

	if (dir_check_link(dir, false, e) < 0)
		return -1;
	r = mkdir_p_at(AT_FDCWD, dir, 0755);
	if (r < 0)
		return err_errno(e, r, "%s", dir);
	if (leftovers_make(&s, dir, ".export", e) < 0)
		return -1;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scratch = open(s.inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || scratch < 0)
		return err_errno(e, errno, "%s", dir);
	x.dirfd = dirfd;
	x.scratch = scratch;
	r = export_all(&x, l, e);
	strv_builder_done(&x.sums);
	*ret = x.result;
	return r;
}
