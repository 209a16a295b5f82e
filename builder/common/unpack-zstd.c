/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses zstd with libzstd, which this file alone includes. libzstd refuses a frame
 * whose window is larger than the limit before it allocates it, but does not say how
 * large it is: the first bytes of each frame are kept for the message (RFC 8878,
 * 3.1.1.1). */
#include "builder/common/progress.h"
#include "builder/common/unpack.h"
#include "lib/str.h"

#include <zstd.h>
#include <zstd_errors.h>

#define HEAD 18 /* bytes of the longest header of a frame */

struct zstd {
	const struct unpack_source *from;
	ZSTD_DCtx *d;
	ZSTD_inBuffer in;
	uint64_t window;
	bool at_end;   /* of the input */
	bool in_frame; /* a frame has begun and not ended */
	unsigned char head[HEAD];
	size_t n_head;
};

static int open_zstd(void **ret, const struct unpack_source *from, uint64_t window,
		     struct err *e)
{
	struct zstd *z = xcalloc(1, sizeof(*z));
	int log = 0;

	while (window >> (log + 1))
		log++;
	z->from = from;
	z->window = 1ULL << log;
	z->d = ZSTD_createDCtx();
	if (!z->d)
		abort();
	if (ZSTD_isError(ZSTD_DCtx_setParameter(z->d, ZSTD_d_windowLogMax, log))) {
		ZSTD_freeDCtx(z->d);
		free(z);
		return err_set(e, ERR_FAILED, "%s: libzstd cannot be used", from->name);
	}
	*ret = z;
	return 0;
}

/* Keeps bytes that the decoder was given for the frame's header. */
static void note_head(struct zstd *z, size_t from, size_t to)
{
	size_t n = to - from, room = HEAD - z->n_head;

	n = n < room ? n : room;
	memcpy(z->head + z->n_head, (const unsigned char *)z->in.src + from, n);
	z->n_head += n;
}

/* Returns the size of the frame's window: its content's, if it is one segment. */
static uint64_t frame_window(const struct zstd *z)
{
	static const size_t id_bytes[] = {0, 1, 2, 4};
	unsigned flags = z->head[4], exponent = z->head[5] >> 3;
	size_t n = flags >> 6 ? (size_t)1 << (flags >> 6) : 1,
	       at = 5 + id_bytes[flags & 3];
	uint64_t size = n == 2 ? 256 : 0, content = 0;

	if (!(flags & 0x20))
		return (1ULL << (10 + exponent)) / 8 * (8 + (z->head[5] & 7));
	for (size_t i = n; i-- > 0;)
		content = content << 8 | z->head[at + i];
	return size + content;
}

static int zstd_error(const struct zstd *z, size_t r, struct err *e)
{
	char need[PROGRESS_SIZE_LEN], limit[PROGRESS_SIZE_LEN];
	int log = 0;

	while (z->window >> (log + 1))
		log++;
	if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, ERR_FAILED,
			       "%s: needs a window of %s to be decompressed, more than "
			       "the limit of %s: refused: compress it with --long=%d or "
			       "less",
			       z->from->name, progress_size(frame_window(z), need),
			       progress_size(z->window, limit), log);
	return err_set(e, ERR_FAILED, "%s: damaged zstd data: %s", z->from->name,
		       ZSTD_getErrorName(r));
}

static int refill(struct zstd *z, struct err *e)
{
	ssize_t n;

	if (z->in.pos < z->in.size || z->at_end)
		return 0;
	n = z->from->read(z->from->data, &z->in.src, e);
	if (n < 0)
		return -1;
	z->at_end = n == 0;
	z->in.size = (size_t)n;
	z->in.pos = 0;
	return 0;
}

static ssize_t read_zstd(void *state, void *buf, size_t len, struct err *e)
{
	struct zstd *z = state;
	ZSTD_outBuffer out = {.dst = buf, .size = len};

	while (out.pos == 0) {
		size_t r, from;

		if (refill(z, e) < 0)
			return -1;
		if (z->at_end && !z->in_frame)
			return 0;
		if (!z->in_frame)
			z->n_head = 0;
		from = z->in.pos;
		/* At the end of the input the decoder may still hold bytes. */
		r = ZSTD_decompressStream(z->d, &out, &z->in);
		note_head(z, from, ZSTD_isError(r) ? z->in.size : z->in.pos);
		if (ZSTD_isError(r))
			return zstd_error(z, r, e);
		z->in_frame = r > 0;
		if (z->at_end && z->in_frame && out.pos == 0)
			return err_set(e, ERR_FAILED, "%s: truncated zstd data",
				       z->from->name);
	}
	return (ssize_t)out.pos;
}

static void close_zstd(void *state)
{
	struct zstd *z = state;

	ZSTD_freeDCtx(z->d);
	free(z);
}

const struct unpack_type unpack_zstd = {
	.name = "zstd",
	.has_window = true,
	.open = open_zstd,
	.read = read_zstd,
	.close = close_zstd,
};
