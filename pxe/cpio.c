/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member in "newc" format is a header of 110 ASCII characters (magic and thirteen
 * 32-bit numbers in hex), the name with its NUL padded to 4, and the data padded to 4.
 * The last member is "TRAILER!!!". The kernel creates only directories that are members,
 * so callers add each directory before the files in it.
 *
 * Limits: regular files and directories only, each file below 4 GiB (the format's own
 * limit), names below CPIO_NAME_MAX.
 */
#include "pxe/cpio.h"
#include "lib/file.h"

#define CPIO_HEADER_LEN 110
#define CPIO_NAME_MAX   255
#define CPIO_PAD        512
#define CPIO_TRAILER    "TRAILER!!!"

struct member {
	uint32_t ino, mode, nlink, mtime, size;
};

void cpio_init(struct cpio *c, int fd, uint64_t epoch)
{
	*c = (struct cpio){
		.fd = fd,
		.mtime = epoch > UINT32_MAX ? UINT32_MAX : (uint32_t)epoch,
	};
}

void cpio_init_buf(struct cpio *c, struct buf *b, uint64_t epoch)
{
	cpio_init(c, -1, epoch);
	c->buf = b;
}

static int append(struct cpio *c, const void *data, size_t len, struct err *e)
{
	int r = 0;

	if (c->buf)
		buf_add(c->buf, data, len);
	else
		r = write_all(c->fd, data, len);
	if (r < 0)
		return err_errno(e, r, "cannot write cpio archive");
	c->off += len;
	return 0;
}

static int pad(struct cpio *c, size_t to, struct err *e)
{
	static const char zeros[CPIO_PAD];
	size_t over = c->off % to;

	return over ? append(c, zeros, to - over, e) : 0;
}

static int header(struct cpio *c, const char *name, const struct member *m, struct err *e)
{
	char h[CPIO_HEADER_LEN + CPIO_NAME_MAX + 2];
	size_t len = strlen(name) + 1;

	if (len == 1 || len > CPIO_NAME_MAX || name[0] == '/')
		return err_set(e, ERR_FAILED,
			       "cpio: the name '%s' is empty, absolute or too long",
			       name);
	/* uid, gid, devices and checksum are 0 */
	snprintf(h, sizeof(h),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", m->ino,
		 m->mode, 0U, 0U, m->nlink, m->mtime, m->size, 0U, 0U, 0U, 0U,
		 (unsigned)len, 0U, name);
	if (append(c, h, CPIO_HEADER_LEN + len, e) < 0)
		return -1;
	return pad(c, 4, e);
}

uint64_t cpio_header_len(const char *path)
{
	return (CPIO_HEADER_LEN + strlen(path) + 1 + 3) / 4 * 4;
}

int cpio_dir(struct cpio *c, const char *path, mode_t mode, struct err *e)
{
	struct member m = {.ino = ++c->ino,
			   .mode = S_IFDIR | (mode & 07777),
			   .nlink = 2,
			   .mtime = c->mtime};

	return header(c, path, &m, e);
}

static int file_header(struct cpio *c, const char *path, mode_t mode, uint64_t size,
		       struct err *e)
{
	struct member m = {.ino = ++c->ino,
			   .mode = S_IFREG | (mode & 07777),
			   .nlink = 1,
			   .mtime = c->mtime,
			   .size = (uint32_t)size};

	if (size > UINT32_MAX)
		return err_set(
			e, ERR_FAILED,
			"%s has %llu bytes: a cpio archive holds files below 4 GiB", path,
			(unsigned long long)size);
	return header(c, path, &m, e);
}

int cpio_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len,
	      struct err *e)
{
	if (file_header(c, path, mode, len, e) < 0 || append(c, data, len, e) < 0)
		return -1;
	return pad(c, 4, e);
}

/* Copies exactly `size` bytes, the number that is already in the header. */
static int copy(struct cpio *c, const char *path, int from, uint64_t size, struct err *e)
{
	enum { CHUNK = 256 * 1024 };
	_cleanup_free_ char *buf = xmalloc(CHUNK);

	while (size > 0) {
		ssize_t n = read(from, buf, size < CHUNK ? (size_t)size : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "cannot read %s", path);
		if (n == 0)
			return err_set(e, ERR_FAILED, "%s is %llu bytes too short", path,
				       (unsigned long long)size);
		if (append(c, buf, (size_t)n, e) < 0)
			return -1;
		size -= (uint64_t)n;
	}
	return 0;
}

int cpio_file(struct cpio *c, const char *path, mode_t mode, int from, uint64_t size,
	      struct err *e)
{
	if (file_header(c, path, mode, size, e) < 0 || copy(c, path, from, size, e) < 0)
		return -1;
	return pad(c, 4, e);
}

int cpio_file_around(struct cpio *c, const char *path, mode_t mode, uint64_t size,
		     struct err *e)
{
	if (file_header(c, path, mode, size, e) < 0)
		return -1;
	c->off += size;
	return pad(c, 4, e);
}

int cpio_end(struct cpio *c, struct err *e)
{
	struct member m = {.nlink = 1};

	if (header(c, CPIO_TRAILER, &m, e) < 0)
		return -1;
	return pad(c, CPIO_PAD, e);
}
