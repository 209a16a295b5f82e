/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses zstd with libzstd, which this file alone includes. libzstd refuses a frame
 * whose window is larger than the limit before it allocates it. */
#include "builder/common/progress.h"
#include "builder/common/unpack.h"
#include "lib/str.h"

#include <zstd.h>
#include <zstd_errors.h>

struct zstd {
	const struct unpack_source *from;
	ZSTD_DCtx *d;
	ZSTD_inBuffer in;
	uint64_t window;
	bool at_end;   /* of the input */
	bool in_frame; /* a frame has begun and not ended */
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

static int zstd_error(const struct zstd *z, size_t r, struct err *e)
{
	char limit[PROGRESS_SIZE_LEN];

	if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, ERR_FAILED,
			       "%s: needs more memory to be decompressed than the limit "
			       "of %s: refused: compress it with a smaller window",
			       z->from->name, progress_size(z->window, limit));
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
		size_t r;

		if (refill(z, e) < 0)
			return -1;
		if (z->at_end && !z->in_frame)
			return 0;
		/* At the end of the input the decoder may still hold bytes. */
		r = ZSTD_decompressStream(z->d, &out, &z->in);
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
