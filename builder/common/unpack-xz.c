/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses xz and lzma with liblzma, which this file alone includes. liblzma refuses
 * a dictionary that needs more than the limit before it allocates it. */
#include "builder/common/progress.h"
#include "builder/common/unpack.h"
#include "lib/str.h"

#include <lzma.h>

#define EXTRA (4U << 20) /* memory of the decoder besides its dictionary */

struct xz {
	const struct unpack_source *from;
	const char *format;
	lzma_stream s;
	bool at_end; /* of the input */
	bool done;
};

static int open_with(void **ret, const struct unpack_source *from, const char *format,
		     lzma_ret (*init)(lzma_stream *s, uint64_t memory), uint64_t window,
		     struct err *e)
{
	struct xz *x = xcalloc(1, sizeof(*x));

	x->from = from;
	x->format = format;
	if (init(&x->s, window + EXTRA) != LZMA_OK) {
		free(x);
		return err_set(e, ERR_FAILED, "%s: liblzma cannot be used", from->name);
	}
	*ret = x;
	return 0;
}

static lzma_ret init_xz(lzma_stream *s, uint64_t memory)
{
	return lzma_stream_decoder(s, memory, LZMA_CONCATENATED);
}

static int open_xz(void **ret, const struct unpack_source *from, uint64_t window,
		   struct err *e)
{
	return open_with(ret, from, "xz", init_xz, window, e);
}

static int open_lzma(void **ret, const struct unpack_source *from, uint64_t window,
		     struct err *e)
{
	return open_with(ret, from, "lzma", lzma_alone_decoder, window, e);
}

static int xz_error(struct xz *x, lzma_ret r, struct err *e)
{
	char need[PROGRESS_SIZE_LEN], limit[PROGRESS_SIZE_LEN];

	if (r == LZMA_MEMLIMIT_ERROR)
		return err_set(e, ERR_FAILED,
			       "%s: needs %s of memory to be decompressed, more than the "
			       "limit of %s: refused: compress it with a smaller "
			       "dictionary",
			       x->from->name, progress_size(lzma_memusage(&x->s), need),
			       progress_size(lzma_memlimit_get(&x->s), limit));
	if (r == LZMA_BUF_ERROR)
		return err_set(e, ERR_FAILED, "%s: truncated %s data", x->from->name,
			       x->format);
	return err_set(e, ERR_FAILED, "%s: damaged %s data", x->from->name, x->format);
}

/* Takes the next bytes of the input when the decoder has none. */
static int refill(struct xz *x, struct err *e)
{
	const void *p;
	ssize_t n;

	if (x->s.avail_in > 0 || x->at_end)
		return 0;
	n = x->from->read(x->from->data, &p, e);
	if (n < 0)
		return -1;
	x->at_end = n == 0;
	x->s.next_in = p;
	x->s.avail_in = (size_t)n;
	return 0;
}

static ssize_t read_xz(void *state, void *buf, size_t len, struct err *e)
{
	struct xz *x = state;

	x->s.next_out = buf;
	x->s.avail_out = len;
	while (x->s.avail_out == len && !x->done) {
		lzma_ret r;

		if (refill(x, e) < 0)
			return -1;
		r = lzma_code(&x->s, x->at_end ? LZMA_FINISH : LZMA_RUN);
		x->done = r == LZMA_STREAM_END;
		if (r != LZMA_OK && !x->done)
			return xz_error(x, r, e);
	}
	return (ssize_t)(len - x->s.avail_out);
}

static void close_xz(void *state)
{
	struct xz *x = state;

	lzma_end(&x->s);
	free(x);
}

const struct unpack_type unpack_xz = {
	.name = "xz",
	.has_window = true,
	.open = open_xz,
	.read = read_xz,
	.close = close_xz,
};

const struct unpack_type unpack_lzma = {
	.name = "lzma",
	.has_window = true,
	.open = open_lzma,
	.read = read_xz,
	.close = close_xz,
};
