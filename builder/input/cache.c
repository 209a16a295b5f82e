/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses folders, renames and flock(2). A blob's name is its digest, so writing one twice
 * is harmless: both writers write the same bytes.
 *
 * A file in the cache may have been damaged (by a disk, by a user). Inputs are digested
 * whenever they are opened: at 2 GB/s that takes little time.
 */
#include "builder/input/cache.h"

#include "builder/common/lock-file.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <sys/file.h>

static const char *const folders[] = {"blobs/sha256", "blobs/sha512", "partial",
				      "base",         "url",          "lock"};

static char *default_dir(void)
{
	const char *own = getenv("RACKSTRAP_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");

	if (own && *own)
		return xstrdup(own);
	if (xdg && xdg[0] == '/')
		return xasprintf("%s/rackstrap", xdg);
	if (home && home[0] == '/')
		return xasprintf("%s/.cache/rackstrap", home);
	return NULL;
}

int cache_open(struct cache *ret, const char *dir, struct err *e)
{
	_cleanup_cache_ struct cache c = {.fd = -1};
	int r;

	c.dir = dir ? xstrdup(dir) : default_dir();
	if (!c.dir)
		return err_set(e, ERR_FAILED,
			       "no place for the cache: set HOME, or give --cache DIR");
	r = mkdir_p_at(AT_FDCWD, c.dir, 0755);
	if (r < 0)
		return err_errno(e, r, "cache %s", c.dir);
	c.fd = open(c.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.fd < 0)
		return err_errno(e, errno, "cache %s", c.dir);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		r = mkdir_p_at(c.fd, folders[i], 0755);
		if (r < 0)
			return err_errno(e, r, "cache %s: %s", c.dir, folders[i]);
	}
	/* On a file system without directory locks (NFS), prune cannot run either. */
	(void)!flock_retry(c.fd, LOCK_SH);
	*ret = (struct cache){.dir = TAKE_PTR(c.dir), .fd = TAKE_FD(c.fd)};
	return 0;
}

void cache_done(struct cache *c)
{
	free(c->dir);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct cache){.fd = -1};
}

/* --- locks ------------------------------------------------------------------------- */

int cache_lock_all(const struct cache *c, struct err *e)
{
	int r = flock_retry(c->fd, LOCK_EX | LOCK_NB);

	if (r == -EWOULDBLOCK) {
		log_info("waiting for other processes that use the cache %s", c->dir);
		r = flock_retry(c->fd, LOCK_EX);
	}
	return r < 0 ? err_errno(e, r, "cache %s: cannot be locked", c->dir) : 0;
}

int cache_lock(const struct cache *c, const char *name, int *ret_fd, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("lock/%s", name);

	if (lock_file_at(c->fd, path, "another rackstrap that makes the same entry",
			 ret_fd, e) < 0)
		return err_wrap(e, "cache %s", c->dir);
	return 0;
}

/* --- inputs ------------------------------------------------------------------------ */

static char *blob_path(enum digest_type type, const char *hex)
{
	return xasprintf("blobs/%s/%s", digest_name(type), hex);
}

/* Digests the blob. Returns 1 with the digests, 0 when they do not match its name, or
 * -errno. */
static int blob_verify(int fd, enum digest_type type, const char *hex, struct blob *ret)
{
	char got[DIGEST_HEX_MAX];
	int r = digest_fd(fd, type, got, &ret->size);

	if (r < 0)
		return r;
	if (!streq(got, hex))
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	if (type == DIGEST_SHA256) {
		memcpy(ret->sha256, got, sizeof(got));
		return 1;
	}
	r = digest_fd(fd, DIGEST_SHA256, ret->sha256, &ret->size);
	return r < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -EIO : 1;
}

int cache_blob_open(const struct cache *c, enum digest_type type, const char *hex,
		    struct blob *ret, struct err *e)
{
	_cleanup_free_ char *path = blob_path(type, hex);
	_cleanup_close_ int fd = file_open_regular_at(c->fd, path);
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0
				     : err_set(e, ERR_FAILED, "cache %s: %s: %s", c->dir,
					       path, file_strerror(fd));
	*ret = (struct blob){.fd = -1};
	r = blob_verify(fd, type, hex, ret);
	if (r < 0)
		return err_errno(e, r, "cache %s: %s", c->dir, path);
	if (r == 0) {
		log_warn("cache %s: %s no longer has that digest: removed", c->dir, path);
		unlinkat(c->fd, path, 0);
		return 0;
	}
	futimens(fd, NULL); /* its last use is now; an error (not the owner) is ignored */
	ret->fd = TAKE_FD(fd);
	return 1;
}

/* The file is not synced: if a power cut empties it, the next opening notices. */
int cache_blob_add(const struct cache *c, const char *path, const char *sha256,
		   const char *sha512, struct err *e)
{
	_cleanup_free_ char *to = blob_path(DIGEST_SHA256, sha256);
	_cleanup_free_ char *link = blob_path(DIGEST_SHA512, sha512);
	_cleanup_free_ char *target = xasprintf("../sha256/%s", sha256);
	int r;

	if (renameat(c->fd, path, c->fd, to) < 0)
		return err_errno(e, errno, "cache %s: %s", c->dir, path);
	r = *sha512 ? file_symlink_at(c->fd, link, target) : 0;
	return r < 0 ? err_errno(e, r, "cache %s: %s", c->dir, link) : 0;
}

char *cache_blob_path(const struct cache *c, const struct blob *b)
{
	return xasprintf("%s/blobs/sha256/%s", c->dir, b->sha256);
}

void cache_note_url(const struct cache *c, const char *url, const char *sha256)
{
	_cleanup_free_ char *text = xasprintf("%s %s\n", sha256, url);
	_cleanup_free_ char *path = NULL, *have = NULL;
	_cleanup_close_ int fd = -1;
	char key[DIGEST_HEX_MAX];

	path = xasprintf("url/%s", digest_text(DIGEST_SHA256, url, strlen(url), key));
	if (file_read_foreign_at(c->fd, path, 64 * 1024, &have, NULL) == 0 &&
	    streq(have, text))
		return;
	/* The file is not synced, unlike with file_write_at(): there may be hundreds, and
	 * each can be made again. Its reader compares it with its name. */
	unlinkat(c->fd, path, 0);
	fd = openat(c->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0644);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		unlinkat(c->fd, path, 0);
}
