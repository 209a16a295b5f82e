/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zip has each member's name twice: in its directory and in front of its data
 * (APPNOTE.TXT 4.3.7, 4.3.12). libarchive reads the types in the directory, and the names
 * in front of the data. Programs that list a zip read the directory. So the two must be
 * the same.
 *
 * The directory is found as libarchive 3.6 finds it. A zip whose directory is not found
 * or damaged passes here, because libarchive refuses it.
 */
#include "builder/common/archive-zip.h"

#include "lib/file.h"
#include "lib/str.h"

#include <endian.h>

#define END_LEN     22 /* of the end of the directory */
#define END64_LEN   56
#define LOCATOR_LEN 20
#define RECORD_LEN  46 /* of a member in the directory, without its texts */
#define HEADER_LEN  30 /* in front of a member's data, without its texts */
#define TAIL_MAX    (16 << 10)
#define GAP_MAX     (64 << 10) /* between the stated and the real begin */
#define EXTRA_ZIP64 1

struct names {
	const struct archive_zip *z;
	const char *archive; /* for messages */
	uint64_t size;       /* of the zip */
	uint64_t stated;     /* begin of the directory, as its end states it */
	uint64_t derived;    /* its begin if it ends where its end begins */
	uint64_t at;         /* of the next record of the directory */
	uint64_t shift;      /* added to the offsets of the directory, modulo 2^64 */
	unsigned char name[UINT16_MAX], other[UINT16_MAX], extra[UINT16_MAX];
};

static unsigned get16(const unsigned char *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return le16toh(n);
}

static uint32_t get32(const unsigned char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

static uint64_t get64(const unsigned char *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return le64toh(n);
}

/* Reads exactly `len` bytes of the zip. */
static bool get(const struct names *x, uint64_t at, void *buf, size_t len)
{
	if (at > x->size || len > x->size - at)
		return false;
	return pread(x->z->fd, buf, len, (off_t)(x->z->start + at)) == (ssize_t)len;
}

static bool has_mark(const unsigned char *p, const char *mark)
{
	return memcmp(p, mark, 4) == 0;
}

/* --- the directory ----------------------------------------------------------------- */

/* Reads the offset of the directory in a zip64, whose locator is at `p`. */
static bool read_end64(struct names *x, const unsigned char *p)
{
	unsigned char end[END64_LEN];

	if (!has_mark(p, "PK\006\007") || !get(x, get64(p + 8), end, sizeof(end)) ||
	    !has_mark(end, "PK\006\006"))
		return false;
	x->stated = x->derived = get64(end + 48);
	return true;
}

/* Finds the last end of a directory, and reads where that begins. */
static bool find_end(struct names *x)
{
	unsigned char tail[TAIL_MAX];
	size_t len = x->size < sizeof(tail) ? (size_t)x->size : sizeof(tail);

	if (len <= END_LEN || !get(x, x->size - len, tail, len))
		return false;
	for (size_t i = len - END_LEN; i > 0; i--) {
		if (!has_mark(tail + i, "PK\005\006"))
			continue;
		x->stated = get32(tail + i + 16);
		x->derived = x->size - len + i - get32(tail + i + 12);
		if (i >= LOCATOR_LEN)
			(void)!read_end64(x, tail + i - LOCATOR_LEN);
		return true;
	}
	return false;
}

/* Sets x->at to the first record at or behind `begin`. Something may be in front of the
 * zip: then all its offsets are too small. */
static bool find_first(struct names *x, uint64_t begin)
{
	_cleanup_free_ char *gap = xmalloc(GAP_MAX);
	uint64_t left = begin < x->size ? x->size - begin : 0;
	size_t len = left < GAP_MAX ? (size_t)left : GAP_MAX;
	const char *first = NULL;

	if (get(x, begin, gap, len))
		first = memmem(gap, len, "PK\001\002", 4);
	if (!first)
		return false;
	x->at = begin + (uint64_t)(first - gap);
	x->shift = x->at - x->stated;
	return true;
}

/* --- members ----------------------------------------------------------------------- */

/* Returns the offset of a member's header, which a zip64 has in an extra field behind the
 * sizes that do not fit into the record either (APPNOTE.TXT 4.5.3). */
static uint64_t header_offset(const struct names *x, const unsigned char *record)
{
	size_t len = get16(record + 30);
	uint64_t offset = get32(record + 42);

	if (offset != UINT32_MAX)
		return offset;
	for (size_t i = 0; i + 4 <= len; i += 4 + get16(x->extra + i + 2)) {
		size_t at = i + 4, end = at + get16(x->extra + i + 2);

		if (get16(x->extra + i) != EXTRA_ZIP64)
			continue;
		at += get32(record + 24) == UINT32_MAX ? 8 : 0;
		at += get32(record + 20) == UINT32_MAX ? 8 : 0;
		return at + 8 <= end && end <= len ? get64(x->extra + at) : offset;
	}
	return offset;
}

/* Compares the names of the member that x->at is at, and moves on. Returns 1, 0 at the
 * end, or -1. */
static int check_member(struct names *x, struct err *e)
{
	unsigned char record[RECORD_LEN], header[HEADER_LEN];
	unsigned n_name, n_extra, n_other;
	uint64_t at;

	if (!get(x, x->at, record, sizeof(record)) || !has_mark(record, "PK\001\002"))
		return 0;
	n_name = get16(record + 28);
	n_extra = get16(record + 30);
	if (!get(x, x->at + RECORD_LEN, x->name, n_name) ||
	    !get(x, x->at + RECORD_LEN + n_name, x->extra, n_extra))
		return 0;
	at = header_offset(x, record) + x->shift;
	x->at += RECORD_LEN + n_name + n_extra + get16(record + 32);
	if (!get(x, at, header, sizeof(header)) || !has_mark(header, "PK\003\004"))
		return 1;
	n_other = get16(header + 26);
	if (!get(x, at + HEADER_LEN, x->other, n_other) ||
	    (n_name == n_other && memcmp(x->name, x->other, n_name) == 0))
		return 1;
	return err_set(e, ERR_FAILED,
		       "%s: member '%.*s' has the name '%.*s' in the zip's directory: "
		       "archive refused",
		       x->archive, (int)n_other, (const char *)x->other, (int)n_name,
		       (const char *)x->name);
}

static int check_directory(struct names *x, uint64_t begin, struct err *e)
{
	int r = 1;

	if (!find_first(x, begin))
		return 0;
	begin = x->at;
	while (r > 0 && x->at - begin <= ARCHIVE_DIRECTORY_MAX)
		r = check_member(x, e);
	return r < 0 ? -1 : 0;
}

int archive_zip_check_names(const struct archive_zip *z, const char *name, struct err *e)
{
	_cleanup_free_ struct names *x = xcalloc(1, sizeof(*x));
	struct stat st;

	if (fstat(z->fd, &st) < 0 || (uint64_t)st.st_size < z->start)
		return err_set(e, ERR_FAILED, "%s: cannot be read", name);
	x->z = z;
	x->archive = name;
	x->size = (uint64_t)st.st_size - z->start;
	if (!find_end(x))
		return 0;
	if (check_directory(x, x->stated, e) < 0)
		return -1;
	return x->derived == x->stated ? 0 : check_directory(x, x->derived, e);
}
