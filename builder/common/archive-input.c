/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the file in chunks. Its first bytes decide how it is decompressed, and are then
 * the first bytes that the decompressor gets. */
#include "builder/common/archive-input.h"

#include "lib/file.h"
#include "lib/str.h"

#define CHUNK (256 * 1024)

/* Reads at most `len` bytes of the file. */
static ssize_t read_file(struct archive_input *in, void *buf, size_t len, struct err *e)
{
	ssize_t n;

	if (in->outer) {
		n = archive_in_read(in->outer, buf, len, e);
	} else {
		do
			n = read(in->fd, buf, len);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			err_errno(e, errno, "%s: cannot be read", in->name);
	}
	if (n > 0 && in->tap)
		digest_add(in->tap, buf, (size_t)n);
	return n;
}

/* Returns the next bytes of the file: unpack_source.read. */
static ssize_t next_bytes(void *data, const void **ret, struct err *e)
{
	struct archive_input *in = data;
	ssize_t n = (ssize_t)in->n_left;

	*ret = n > 0 ? in->left : in->buf;
	in->n_left = 0;
	return n > 0 ? n : read_file(in, in->buf, CHUNK, e);
}

/* Reads the first bytes, and keeps them. */
static int read_head(struct archive_input *in, struct err *e)
{
	ssize_t n = 1;

	in->left = in->buf;
	while (in->n_left < UNPACK_HEAD && n > 0) {
		n = read_file(in, in->buf + in->n_left, CHUNK - in->n_left, e);
		if (n > 0)
			in->n_left += (size_t)n;
	}
	return n < 0 ? -1 : 0;
}

int archive_input_open(struct archive_input *ret, const struct archive_source *from,
		       unsigned windows, struct err *e)
{
	uint64_t window = archive_limit_window(windows);
	struct stat st;

	*ret = (struct archive_input){
		.name = from->name,
		.fd = from->outer ? -1 : from->fd,
		.outer = from->outer,
		.tap = from->tap,
		.buf = xmalloc(CHUNK),
		.windows = windows,
	};
	ret->seekable = ret->fd >= 0 && fstat(ret->fd, &st) == 0 && S_ISREG(st.st_mode);
	if (read_head(ret, e) < 0)
		return -1;
	ret->type = unpack_detect(ret->left, ret->n_left);
	if (!ret->type)
		return 0;
	if (ret->type->has_window && window == 0)
		return err_set(e, ERR_FAILED,
			       "%s: compressed files in one another, more than %u deep: "
			       "refused",
			       from->name, windows);
	ret->windows += ret->type->has_window;
	ret->source = (struct unpack_source){next_bytes, ret, ret->name};
	ret->data = xmalloc(CHUNK);
	return ret->type->open(&ret->unpack, &ret->source, window, e);
}

void archive_input_done(struct archive_input *in)
{
	if (in->unpack)
		in->type->close(in->unpack);
	free(in->buf);
	free(in->data);
	*in = (struct archive_input){.fd = -1};
}

ssize_t archive_input_next(struct archive_input *in, const void **ret, struct err *e)
{
	if (!in->unpack)
		return next_bytes(in, ret, e);
	*ret = in->data;
	return in->type->read(in->unpack, in->data, CHUNK, e);
}

ssize_t archive_input_read(struct archive_input *in, void *buf, size_t len, struct err *e)
{
	size_t n = in->n_left < len ? in->n_left : len;

	if (in->unpack)
		return in->type->read(in->unpack, buf, len, e);
	if (n == 0)
		return read_file(in, buf, len, e);
	memcpy(buf, in->left, n);
	in->left += n;
	in->n_left -= n;
	return (ssize_t)n;
}

uint64_t archive_input_skip(struct archive_input *in, uint64_t len)
{
	struct stat st;
	off_t at;

	if (!in->seekable || in->tap || in->type || in->n_left > 0)
		return 0;
	at = lseek(in->fd, 0, SEEK_CUR);
	if (at < 0 || fstat(in->fd, &st) < 0 || st.st_size < at)
		return 0;
	if (len > (uint64_t)(st.st_size - at))
		len = (uint64_t)(st.st_size - at);
	return lseek(in->fd, at + (off_t)len, SEEK_SET) < 0 ? 0 : len;
}

int archive_input_drain(struct archive_input *in, struct err *e)
{
	for (;;) {
		const void *p;
		ssize_t n = next_bytes(in, &p, e);

		if (n <= 0)
			return n < 0 ? -1 : 0;
	}
}
