/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs are copied, not linked, so that a change of the copy cannot damage the cache.
 * Each copy is written under a temporary name and renamed when it is complete, so the
 * folder may be served meanwhile.
 */
#include "builder/input/cache-scan.h"
#include "builder/input/mirror.h"
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

static int copy_blob(int dirfd, const char *path, int from)
{
	_cleanup_free_ char *tmp = xasprintf("%s.part", path);
	_cleanup_free_ char *folder = xasprintf("%s", path);
	_cleanup_close_ int to = -1;
	char *slash = strrchr(folder, '/');
	int r = 0;

	if (slash) {
		*slash = '\0';
		r = mkdir_p_at(dirfd, folder, 0755);
	}
	if (r < 0)
		return r;
	to = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0644);
	if (to < 0)
		return -errno;
	r = copy_fd(from, to);
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, tmp, 0);
	return r;
}

static int export_url(struct cache_exported *x, const struct cache *c,
		      const struct cached *in, const char *url, int dirfd,
		      const char *dir, char ***sums, struct err *e)
{
	_cleanup_free_ char *path = mirror_path(url);
	struct blob blob = {.fd = -1};
	int r;

	if (!path) {
		log_warn("%s: its path cannot be a file name; left out", url);
		return 0;
	}
	if (!is_there(dirfd, path, in)) {
		r = cache_blob_open(c, DIGEST_SHA256, in->name, &blob, e);
		if (r <= 0)
			return r; /* the file is damaged or gone, which was logged */
		r = copy_blob(dirfd, path, blob.fd);
		close(blob.fd);
		if (r < 0)
			return err_errno(e, r, "%s/%s", dir, path);
		x->copied++;
	}
	x->files++;
	x->bytes += in->bytes;
	strv_addf(sums, "%s  %s\n", in->name, path);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 66, *(char *const *)b + 66);
}

static int write_sums(int dirfd, const char *dir, char **sums, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (sums)
		qsort(sums, strv_len(sums), sizeof(*sums), by_path);
	text = strv_join(sums, "");
	r = file_write_at(dirfd, SUMS, text ? text : "", text ? strlen(text) : 0, 0644);
	return r < 0 ? err_errno(e, r, "%s/" SUMS, dir) : 0;
}

int cache_export(struct cache_exported *ret, const struct cache *c,
		 const struct cached_list *l, const char *dir, struct err *e)
{
	_cleanup_close_ int dirfd = -1;
	_cleanup_strv_ char **sums = NULL;
	struct cache_exported x = {0};
	int r = mkdir_p_at(AT_FDCWD, dir, 0755);

	if (r < 0)
		return err_errno(e, r, "%s", dir);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_errno(e, errno, "%s", dir);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0;
		     l->v[i].kind == CACHED_INPUT && l->v[i].urls && l->v[i].urls[k]; k++)
			if (export_url(&x, c, &l->v[i], l->v[i].urls[k], dirfd, dir,
				       &sums, e) < 0)
				return -1;
	if (write_sums(dirfd, dir, sums, e) < 0)
		return -1;
	*ret = x;
	return 0;
}
