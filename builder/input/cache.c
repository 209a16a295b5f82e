/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses folders, renames and flock(2). A blob's name is its digest, so writing one twice
 * is harmless: both writers write the same bytes.
 *
 * A file in the cache may have been damaged by a user, a program or a full disk. Inputs
 * are digested when they are opened, unless their files have not changed since.
 */
#include "builder/input/cache.h"

#include "builder/common/foreign.h"
#include "builder/common/leftovers.h"
#include "builder/common/lock-file.h"
#include "lib/digest-memo.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <limits.h>
#include <sys/file.h>

#define SHA512_TARGET "../sha256/" /* of the links in blobs/sha512 */

static const char *const folders[] = {"blobs/sha256", "blobs/sha512", "known", "partial",
				      "base",         "url",          "lock"};

int cache_open(struct cache *ret, const char *dir, struct err *e)
{
	_cleanup_cache_ struct cache c = {.fd = -1};
	int r;

	c.dir = dir ? xstrdup(dir) : cache_dir_default();
	if (!c.dir)
		return err_set(e, ERR_FAILED,
			       "no place for the cache: set HOME, or give --cache DIR");
	if (dir_check_link(c.dir, false, e) < 0)
		return err_wrap(e, "cache");
	r = mkdir_p_at(AT_FDCWD, c.dir, 0755);
	if (r < 0)
		return err_errno(e, r, "cache %s", c.dir);
	c.fd = open(c.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.fd < 0)
		return err_errno(e, errno, "cache %s", c.dir);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		r = mkdir_p_at(c.fd, folders[i], 0755);
		if (r == -EACCES && !foreign_can_use(c.dir))
			return foreign_err("cache ", c.dir, CACHE_ADVICE, e);
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

	if (faccessat(c->fd, "lock", W_OK, AT_EACCESS) < 0 && errno == EACCES) {
		_cleanup_free_ char *dir = xasprintf("%s/lock", c->dir);

		return foreign_err("cache ", foreign_can_use(c->dir) ? dir : c->dir,
				   CACHE_ADVICE, e);
	}
	if (lock_file_at(c->fd, path, "another rackstrap that makes the same entry",
			 ret_fd, e) < 0)
		return err_wrap(e, "cache %s", c->dir);
	return 0;
}

/* --- inputs ------------------------------------------------------------------------ */

static char *memo_path(const char *hex)
{
	return xasprintf("known/%s", hex);
}

static char *blob_path(enum digest_type type, const char *hex)
{
	return xasprintf("blobs/%s/%s", digest_name(type), hex);
}

/* Sets ret->sha256 and size from the memo of the file. Returns 0 when there is none. */
static int blob_recall(const struct cache *c, int fd, enum digest_type type,
		       const char *hex, struct blob *ret)
{
	_cleanup_free_ char *memo = memo_path(hex), *text = NULL, *want = NULL;
	struct stat st;
	const char *sha256;

	text = c->verify ? NULL : digest_memo_read(c->fd, memo, fd);
	want = xasprintf("%s %s sha256 ", digest_name(type), hex);
	sha256 = text ? str_after(text, want) : NULL;
	if (!sha256 || !digest_is_hex(sha256, DIGEST_SHA256) || fstat(fd, &st) < 0)
		return 0;
	strcpy(ret->sha256, sha256);
	ret->size = (uint64_t)st.st_size;
	return 1;
}

/* Digests the file. Returns 1 with the digests, 0 when they do not match its name, or
 * -errno. */
static int blob_digest(int fd, enum digest_type type, const char *hex, struct blob *ret)
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

/* Records the use of an input: sets the time of its memo, which is empty if there was
 * none. The file's own times stay as they are, because the memo depends on them. */
static void note_use(const struct cache *c, const char *hex)
{
	_cleanup_free_ char *memo = memo_path(hex);
	_cleanup_close_ int fd =
		openat(c->fd, memo,
		       O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

	if (fd >= 0)
		(void)!futimens(fd, NULL);
}

/* Does what blob_digest() does, with the memo. */
static int blob_verify(const struct cache *c, int fd, enum digest_type type,
		       const char *hex, struct blob *ret)
{
	_cleanup_free_ char *memo = memo_path(hex), *text = NULL;
	struct digest_stamp stamp;
	int r;

	if (blob_recall(c, fd, type, hex, ret) > 0)
		return 1;
	r = digest_stamp_take(&stamp, fd);
	if (r == 0 && !S_ISREG(stamp.st.st_mode))
		return 0;
	if (r == 0)
		r = blob_digest(fd, type, hex, ret);
	if (r <= 0)
		return r;
	text = xasprintf("%s %s sha256 %s", digest_name(type), hex, ret->sha256);
	digest_memo_write(c->fd, memo, fd, &stamp, text);
	return 1;
}

bool cache_blob_exists(const struct cache *c, enum digest_type type, const char *hex)
{
	_cleanup_free_ char *path = blob_path(type, hex);

	return faccessat(c->fd, path, F_OK, 0) == 0;
}

bool cache_blob_sha256(const struct cache *c, enum digest_type type, const char *hex,
		       char sha256[static DIGEST_HEX_MAX])
{
	_cleanup_free_ char *path = blob_path(type, hex);
	char target[PATH_MAX] = "";
	const char *name = hex;

	if (type != DIGEST_SHA256) {
		if (readlinkat(c->fd, path, target, sizeof(target) - 1) < 0)
			return false;
		name = str_after(target, SHA512_TARGET);
	}
	if (!name || !digest_is_hex(name, DIGEST_SHA256))
		return false;
	strcpy(sha256, name);
	return true;
}

int cache_blob_open(const struct cache *c, enum digest_type type, const char *hex,
		    struct blob *ret, struct err *e)
{
	_cleanup_free_ char *path = blob_path(type, hex);
	_cleanup_close_ int fd = file_open_regular_at(c->fd, path);
	int r;

	if (fd == -ENOENT)
		return 0;
	*ret = (struct blob){.fd = -1};
	r = fd == -EINVAL ? 0 /* no regular file */
	    : fd < 0      ? fd
			  : blob_verify(c, fd, type, hex, ret);
	if (r < 0)
		return err_errno(e, r, "cache %s: %s", c->dir, path);
	if (r == 0) {
		log_warn("cache %s: %s no longer has that digest: removed", c->dir, path);
		rm_rf_at(c->fd, path);
		return 0;
	}
	note_use(c, ret->sha256);
	ret->fd = TAKE_FD(fd);
	return 1;
}

/* The file is not synced: if a power cut empties it, the next opening notices. */
int cache_blob_add(const struct cache *c, const char *path, const char *sha256,
		   const char *sha512, struct err *e)
{
	_cleanup_free_ char *to = blob_path(DIGEST_SHA256, sha256);
	_cleanup_free_ char *link = blob_path(DIGEST_SHA512, sha512);
	_cleanup_free_ char *target = xasprintf(SHA512_TARGET "%s", sha256);
	int r;

	r = renameat(c->fd, path, c->fd, to);
	if (r < 0 && errno == EISDIR) {
		/* A folder of that name is not an input. */
		rm_rf_at(c->fd, to);
		r = renameat(c->fd, path, c->fd, to);
	}
	if (r < 0)
		return err_errno(e, errno, "cache %s: %s", c->dir, to);
	r = *sha512 ? file_symlink_at(c->fd, link, target) : 0;
	return r < 0 ? err_errno(e, r, "cache %s: %s", c->dir, link) : 0;
}

char *cache_blob_path(const struct cache *c, const struct blob *b)
{
	return xasprintf("%s/blobs/sha256/%s", c->dir, b->sha256);
}

char *cache_url_note(const char *url, const char *sha256)
{
	_cleanup_free_ char *line = xasprintf("%s %s\n", sha256, url);
	char check[DIGEST_HEX_MAX];

	digest_text(DIGEST_SHA256, line, strlen(line), check);
	return xasprintf("%s%s\n", line, check);
}

void cache_note_url(const struct cache *c, const char *url, const char *sha256)
{
	_cleanup_free_ char *text = cache_url_note(url, sha256);
	_cleanup_free_ char *path = NULL, *have = NULL;
	_cleanup_close_ int fd = -1;
	char key[DIGEST_HEX_MAX];

	path = xasprintf("url/%s", digest_text(DIGEST_SHA256, url, strlen(url), key));
	if (file_read_foreign_at(c->fd, path, 64 * 1024, &have, NULL) == 0 &&
	    streq(have, text))
		return;
	/* The file is not synced, unlike with file_write_at(): there may be hundreds, and
	 * each can be made again. Its reader checks it. */
	rm_rf_at(c->fd, path);
	fd = openat(c->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0644);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		unlinkat(c->fd, path, 0);
}
