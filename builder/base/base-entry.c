/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a base is the digest of the file `inputs`, so that the digests in `complete`
 * cannot be those of another base. A damaged file is an error and not repaired: a base
 * that is not locked would be made again of other packages.
 */
#include "builder/base/base-entry.h"

#include "lib/file.h"

#define COMPLETE "complete"
#define TEXT_MAX (64U << 20)

enum part { INITRD, INPUTS, OWNERS, PACKAGES, TAR, KERNEL, PARTS };

static const char *const names[PARTS] = {
	[INITRD] = "initrd.img", [INPUTS] = "inputs", [OWNERS] = "owners",
	[PACKAGES] = "packages", [TAR] = "root.tar",  [KERNEL] = "vmlinuz",
};

/* --- writing ----------------------------------------------------------------------- */

static int append_sum(struct buf *b, int dir, const char *name)
{
	_cleanup_close_ int fd = file_open_foreign_at(dir, name);
	char sha256[DIGEST_HEX_MAX];
	int r = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, sha256, NULL);

	if (r == 0)
		buf_printf(b, "%s  %s\n", sha256, name);
	return r;
}

int base_entry_complete(const char *dir, const char *inputs, struct err *e)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_buf_ struct buf sums = {0};
	int r;

	if (fd < 0)
		return err_errno(e, errno, "%s", dir);
	r = file_write_at(fd, names[INPUTS], inputs, strlen(inputs), 0644);
	for (size_t i = 0; r == 0 && i < PARTS; i++)
		r = append_sum(&sums, fd, names[i]);
	if (r == 0)
		r = file_write_at(fd, COMPLETE, sums.p, sums.len, 0644);
	return r < 0 ? err_errno(e, r, "%s", dir) : 0;
}

/* --- reading ----------------------------------------------------------------------- */

static int damaged(const struct cache *c, const char *key, const char *name,
		   struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "%s/base/%s/%s: damaged: run again with --refresh to rebuild the "
		       "base",
		       c->dir, key, name);
}

/* Parses `complete`. Returns false when it has not exactly the lines that
 * base_entry_complete() writes. */
static bool parse_sums(char sums[PARTS][DIGEST_SHA256_LEN], const char *text)
{
	const char *at = text;

	for (size_t i = 0; i < PARTS; i++) {
		_cleanup_free_ char *hex = xstrndup(at, DIGEST_SHA256_LEN - 1);
		_cleanup_free_ char *line = xasprintf("%s  %s\n", hex, names[i]);

		at = str_after(at, line);
		if (!at || !digest_is_hex(hex, DIGEST_SHA256))
			return false;
		memcpy(sums[i], hex, DIGEST_SHA256_LEN);
	}
	return *at == '\0';
}

/* Reads a text and compares its digest. Returns NULL when it is damaged. Owned. */
static char *read_text(int dir, const char *name, const char *sha256)
{
	_cleanup_free_ char *text = NULL;
	char got[DIGEST_HEX_MAX];
	size_t len = 0;

	if (file_read_foreign_at(dir, name, TEXT_MAX, &text, &len) < 0)
		return NULL;
	digest_text(DIGEST_SHA256, text, len, got);
	return streq(got, sha256) ? TAKE_PTR(text) : NULL;
}

static int read_texts(struct base *b, int dir, const struct cache *c, const char *key,
		      char sums[PARTS][DIGEST_SHA256_LEN], struct err *e)
{
	_cleanup_free_ char *inputs = read_text(dir, names[INPUTS], sums[INPUTS]);

	if (!inputs || !streq(sums[INPUTS], key))
		return damaged(c, key, names[INPUTS], e);
	b->packages = read_text(dir, names[PACKAGES], sums[PACKAGES]);
	if (!b->packages)
		return damaged(c, key, names[PACKAGES], e);
	b->owners = read_text(dir, names[OWNERS], sums[OWNERS]);
	return b->owners ? 0 : damaged(c, key, names[OWNERS], e);
}

static int open_files(struct base *b, int dir, const struct cache *c, const char *key,
		      char sums[PARTS][DIGEST_SHA256_LEN], struct err *e)
{
	const struct {
		enum part part;
		struct base_file *to;
	} files[] = {{TAR, &b->tar}, {KERNEL, &b->kernel}, {INITRD, &b->initrd}};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct base_file *f = files[i].to;

		f->fd = file_open_foreign_at(dir, names[files[i].part]);
		if (f->fd < 0)
			return damaged(c, key, names[files[i].part], e);
		memcpy(f->sha256, sums[files[i].part], DIGEST_SHA256_LEN);
	}
	return 0;
}

int base_entry_open(struct base *ret, const struct cache *c, const char *key,
		    struct err *e)
{
	_cleanup_free_ char *path = xasprintf("base/%s", key), *text = NULL;
	_cleanup_close_ int dir = openat(c->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char sums[PARTS][DIGEST_SHA256_LEN];

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0 || file_read_foreign_at(dir, COMPLETE, 4096, &text, NULL) < 0 ||
	    !parse_sums(sums, text))
		return damaged(c, key, COMPLETE, e);
	if (read_texts(ret, dir, c, key, sums, e) < 0 ||
	    open_files(ret, dir, c, key, sums, e) < 0)
		return -1;
	utimensat(dir, COMPLETE, NULL, 0); /* last used now */
	ret->dir = TAKE_FD(dir);
	return 1;
}
