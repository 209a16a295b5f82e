/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a digest of each MiB that was written, so that the image is read only once (it
 * may be a compressed stream) and the MiB that differs can be reported. Uses five MiB for
 * the chunks held back and two buffers, and 64 bytes for each MiB of the image.
 */
#include "builder/disk/flash.h"

#include "builder/common/digest.h"
#include "builder/common/progress.h"
#include "lib/str.h"

#define TAIL_CHUNKS 2 /* the last MiB may begin within a chunk */

/* State of the disk after a failure at this point. */
enum left {
	LEFT_UNCLEARED, /* as before, or partly cleared */
	LEFT_BLANK,
	LEFT_HALF_SEALED, /* the first MiB or the disk's end may be written */
};

struct flash {
	const struct flash_target *t;
	const struct flash_source *s;
	bool (*stop)(void *data);
	void *stop_data;
	uint64_t chunks;                /* of the image */
	uint64_t tail;                  /* first chunk of the disk's end */
	uint8_t *work;                  /* buffer for a chunk of the image */
	uint8_t *back;                  /* buffer for what is read from the disk */
	uint8_t *held[1 + TAIL_CHUNKS]; /* chunks for step 4: the first, the tail */
	char (*digests)[DIGEST_SHA256_LEN];
	enum left left;
	struct flash_stats stats;
};

/* Returns a buffer for one chunk, aligned to FLASH_ALIGN; owned. */
static uint8_t *alloc_chunk(void)
{
	void *p = NULL;

	if (posix_memalign(&p, FLASH_ALIGN, FLASH_CHUNK) != 0)
		abort();
	return p;
}

static void flash_init(struct flash *f)
{
	uint64_t last = f->t->size > FLASH_CHUNK ? f->t->size - FLASH_CHUNK : 0;

	f->chunks = (f->s->size + FLASH_CHUNK - 1) / FLASH_CHUNK;
	f->tail = last / FLASH_CHUNK;
	f->work = alloc_chunk();
	f->back = alloc_chunk();
	for (size_t i = 0; i < ARRAY_SIZE(f->held); i++)
		f->held[i] = alloc_chunk();
	f->digests = xcalloc(f->chunks, sizeof(*f->digests));
}

static void flash_done(struct flash *f)
{
	free(f->work);
	free(f->back);
	for (size_t i = 0; i < ARRAY_SIZE(f->held); i++)
		free(f->held[i]);
	free(f->digests);
}

/* Returns the buffer in which chunk `k` is held back for step 4; NULL for the others. */
static uint8_t *held_back(const struct flash *f, uint64_t k)
{
	if (k == 0)
		return f->held[0];
	return k >= f->tail ? f->held[1 + k - f->tail] : NULL;
}

/* Returns the bytes of the image in chunk `k`; disk_len() rounds up to whole sectors. */
static size_t image_len(const struct flash *f, uint64_t k)
{
	uint64_t rest = f->s->size - k * FLASH_CHUNK;

	return rest < FLASH_CHUNK ? (size_t)rest : FLASH_CHUNK;
}

static size_t disk_len(const struct flash *f, uint64_t k)
{
	size_t sector = f->t->sector;

	return (image_len(f, k) + sector - 1) / sector * sector;
}

static int write_at(struct flash *f, uint64_t at, const void *buf, size_t len,
		    struct err *e)
{
	int r = f->t->write(f->t->data, at, buf, len);

	if (r < 0)
		return err_errno(e, r, "%s: cannot be written at byte %llu", f->t->name,
				 (unsigned long long)at);
	f->stats.written += len;
	return 0;
}

static int read_back(struct flash *f, uint64_t at, size_t len, struct err *e)
{
	int r = f->t->read(f->t->data, at, f->back, len);

	if (r < 0)
		return err_errno(e, r, "%s: cannot be read at byte %llu", f->t->name,
				 (unsigned long long)at);
	return 0;
}

static int flush(struct flash *f, struct err *e)
{
	int r = f->t->flush(f->t->data);

	return r < 0 ? err_errno(e, r, "%s: cannot be flushed", f->t->name) : 0;
}

static int report_difference(const struct flash *f, uint64_t at, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "%s: the MiB at byte %llu is not what was written there: the "
		       "disk is damaged, or smaller than it reports",
		       f->t->name, (unsigned long long)at);
}

/* Returns true, with an error, when the caller asks to stop. */
static bool stopped(const struct flash *f, struct err *e)
{
	if (!f->stop || !f->stop(f->stop_data))
		return false;
	err_set(e, ERR_INTERRUPTED, "%s: interrupted when it was partly written",
		f->t->name);
	return true;
}

/* --- step 1: clear ----------------------------------------------------------------- */

/* Writes zeros to chunk `k` of the disk, which may reach beyond the image. */
static int clear_at(struct flash *f, uint64_t k, struct err *e)
{
	uint64_t at = k * FLASH_CHUNK, rest = f->t->size - at;
	size_t len = rest < FLASH_CHUNK ? (size_t)rest : FLASH_CHUNK;

	memset(f->work, 0, len);
	return write_at(f, at, f->work, len, e);
}

static int is_clear_at(struct flash *f, uint64_t k, struct err *e)
{
	uint64_t at = k * FLASH_CHUNK, rest = f->t->size - at;
	size_t len = rest < FLASH_CHUNK ? (size_t)rest : FLASH_CHUNK;

	if (read_back(f, at, len, e) < 0)
		return -1;
	if (!mem_is_zero(f->back, len))
		return err_set(e, ERR_FAILED,
			       "%s: does not store what is written to it: it is write "
			       "protected, or worn out",
			       f->t->name);
	return 0;
}

static int clear(struct flash *f, struct err *e)
{
	static int (*const steps[])(struct flash *, uint64_t,
				    struct err *) = {clear_at, is_clear_at};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i](f, 0, e) < 0)
			return -1;
		for (uint64_t k = f->tail; k * FLASH_CHUNK < f->t->size; k++)
			if (k > 0 && steps[i](f, k, e) < 0)
				return -1;
		if (i == 0 && flush(f, e) < 0)
			return -1;
	}
	return 0;
}

/* --- step 2: write ------------------------------------------------------------------ */

static int write_chunk(struct flash *f, uint64_t k, const uint8_t *p, struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	size_t len = disk_len(f, k);

	digest_text(DIGEST_SHA256, p, len, hex);
	memcpy(f->digests[k], hex, DIGEST_SHA256_LEN);
	/* A chunk that cannot be read is written: this may repair its sectors. */
	if (mem_is_zero(p, len) &&
	    f->t->read(f->t->data, k * FLASH_CHUNK, f->back, len) == 0 &&
	    mem_is_zero(f->back, len)) {
		f->stats.zero += len;
		return 0;
	}
	return write_at(f, k * FLASH_CHUNK, p, len, e);
}

static int write_all_chunks(struct flash *f, struct err *e)
{
	struct meter m;

	meter_begin(&m, "writing", f->s->size);
	for (uint64_t k = 0; k < f->chunks; k++) {
		uint8_t *held = held_back(f, k), *p = held ? held : f->work;
		size_t len = image_len(f, k);

		if (stopped(f, e) || f->s->read(f->s->data, p, len, e) < 0)
			return -1;
		memset(p + len, 0, disk_len(f, k) - len);
		if (!held && write_chunk(f, k, p, e) < 0)
			return -1;
		meter_show(&m, k * FLASH_CHUNK + len);
	}
	return flush(f, e);
}

/* --- step 3: compare ---------------------------------------------------------------- */

static int compare_all_chunks(struct flash *f, struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	struct meter m;

	meter_begin(&m, "comparing", f->s->size);
	for (uint64_t k = 0; k < f->chunks; k++) {
		uint64_t at = k * FLASH_CHUNK;
		size_t len = disk_len(f, k);

		if (held_back(f, k))
			continue;
		if (stopped(f, e) || read_back(f, at, len, e) < 0)
			return -1;
		digest_text(DIGEST_SHA256, f->back, len, hex);
		if (!streq(hex, f->digests[k]))
			return report_difference(f, at, e);
		meter_show(&m, at + len);
	}
	return 0;
}

/* --- step 4: make it boot ----------------------------------------------------------- */

static int seal_chunk(struct flash *f, uint64_t k, struct err *e)
{
	const uint8_t *p = held_back(f, k);
	uint64_t at = k * FLASH_CHUNK;
	size_t len = disk_len(f, k);

	if (write_at(f, at, p, len, e) < 0 || flush(f, e) < 0 ||
	    read_back(f, at, len, e) < 0)
		return -1;
	return memcmp(p, f->back, len) == 0 ? 0 : report_difference(f, at, e);
}

static int seal(struct flash *f, struct err *e)
{
	f->left = LEFT_HALF_SEALED;
	for (uint64_t k = f->tail > 0 ? f->tail : 1; k < f->chunks; k++)
		if (seal_chunk(f, k, e) < 0)
			return -1;
	return seal_chunk(f, 0, e);
}

/* --- all steps ---------------------------------------------------------------------- */

/* Clears the disk again if step 4 failed, and appends to the error in which state the
 * disk is left. */
static int report_left(struct flash *f, struct err *e)
{
	static const char *const text[] = {
		[LEFT_UNCLEARED] = "its boot sector could not be cleared: what was on "
				   "it may still boot",
		[LEFT_BLANK] = "it is left with nothing that boots",
		[LEFT_HALF_SEALED] = "its boot sector could not be cleared again: do "
				     "not boot from it",
	};
	struct err why = e ? *e : (struct err){0};

	if (f->left == LEFT_HALF_SEALED && clear(f, NULL) == 0)
		f->left = LEFT_BLANK;
	return err_set(e, why.code ? why.code : ERR_FAILED, "%s; %s", why.msg,
		       text[f->left]);
}

int flash_run(const struct flash_target *t, const struct flash_source *s,
	      bool (*stop)(void *data), void *stop_data, struct flash_stats *ret,
	      struct err *e)
{
	struct flash f = {.t = t, .s = s, .stop = stop, .stop_data = stop_data};
	int r;

	if (s->size == 0 || s->size > t->size)
		return err_set(e, ERR_FAILED, "%s: has %llu bytes, the image has %llu",
			       t->name, (unsigned long long)t->size,
			       (unsigned long long)s->size);
	flash_init(&f);
	r = clear(&f, e);
	if (r == 0) {
		f.left = LEFT_BLANK;
		f.stats = (struct flash_stats){0};
		r = write_all_chunks(&f, e);
	}
	if (r == 0)
		r = compare_all_chunks(&f, e);
	if (r == 0 && s->check)
		r = s->check(s->data, e);
	if (r == 0)
		r = seal(&f, e);
	progress_clear();
	if (r < 0)
		report_left(&f, e);
	else if (ret)
		*ret = f.stats;
	flash_done(&f);
	return r;
}
