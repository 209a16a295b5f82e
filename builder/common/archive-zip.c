/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/archive-zip.h"

#include "builder/common/temp-file.h"
#include "lib/file.h"
#include "lib/str.h"

#define CHUNK (64 * 1024)

bool archive_zip_detect(const void *p, size_t len)
{
	return len >= 4 &&
	       (memcmp(p, "PK\003\004", 4) == 0 || memcmp(p, "PK\005\006", 4) == 0);
}

bool archive_zip_use(struct archive_zip *z, const struct archive_input *in,
		     uint64_t start)
{
	if (!in->seekable || in->tap || in->type)
		return false;
	*z = (struct archive_zip){.fd = in->fd, .start = start, .buf = xmalloc(CHUNK)};
	return true;
}

int archive_zip_create(struct archive_zip *z, struct err *e)
{
	int fd = temp_file_open(e);

	if (fd < 0)
		return -1;
	*z = (struct archive_zip){.fd = fd, .own = true, .buf = xmalloc(CHUNK)};
	return 0;
}

int archive_zip_copy(struct archive_zip *z, const void *data, size_t len,
		     const char *name, struct err *e)
{
	int r = write_all(z->fd, data, len);

	return r < 0 ? err_errno(e, r, "%s: a temporary file in %s", name, temp_dir())
		     : 0;
}

void archive_zip_done(struct archive_zip *z)
{
	if (z->own)
		close(z->fd);
	free(z->buf);
	*z = (struct archive_zip){.fd = -1};
}

ssize_t archive_zip_next(struct archive_zip *z, const void **ret, const char *name,
			 struct err *e)
{
	ssize_t n;

	do
		n = pread(z->fd, z->buf, CHUNK, (off_t)(z->start + z->at));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, errno, "%s: cannot be read", name);
	z->at += (uint64_t)n;
	*ret = z->buf;
	return n;
}

int64_t archive_zip_seek(struct archive_zip *z, int64_t offset, int whence)
{
	struct stat st;

	if (fstat(z->fd, &st) < 0)
		return -1;
	if (whence == SEEK_END)
		offset += st.st_size - (int64_t)z->start;
	else if (whence == SEEK_CUR)
		offset += (int64_t)z->at;
	if (offset < 0 || offset > st.st_size - (int64_t)z->start)
		return -1;
	z->at = (uint64_t)offset;
	return offset;
}
