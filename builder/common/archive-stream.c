/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and limits what comes out of an archive's decompressor, before it is parsed. */
#include "builder/common/archive-stream.h"

#include "lib/str.h"

#define PIECE (32 * 1024) /* bytes that the format's reader gets at once */

int archive_in_count(struct archive_in *a, struct err *e)
{
	uint64_t n = a->stream > a->sizes ? a->stream : a->sizes;

	if (n <= a->counted)
		return 0;
	if (archive_limit_bytes(a->limit, n - a->counted, a->name, a->path, e) < 0)
		return -1;
	a->counted = n;
	return 0;
}

/* Checks the first bytes for the format's reader. */
static int check_begin(struct archive_in *a, const void *p, size_t len, struct err *e)
{
	const struct unpack_type *type = a->input.type;
	const struct unpack_type *again = type ? unpack_detect(p, len) : NULL;

	if (again)
		return err_set(e, ERR_FAILED,
			       "%s: is compressed more than once (%s in %s): refused",
			       a->name, again->name, type->name);
	return 0;
}

int archive_in_check_header(const struct archive_in *a, struct err *e)
{
	bool acl = a->header_max == ARCHIVE_ACL_MAX;

	if (!a->in_header || a->header <= a->header_max)
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s: %s%s%shas a header of more than %u %siB%s: refused", a->name,
		       a->path ? "the member behind '" : "", a->path ? a->path : "",
		       a->path ? "' " : "", (unsigned)(a->header_max >> (acl ? 10 : 20)),
		       acl ? "K" : "M", acl ? " with access control lists" : "");
}

/* Looks for access control lists in a header. libarchive takes quadratic time for them,
 * so such a header has a lower limit. */
static void look_for_acl(struct archive_in *a, const char *p, size_t n)
{
	char seam[2 * sizeof(a->tail)];
	size_t m = n < sizeof(a->tail) ? n : sizeof(a->tail);

	memcpy(seam, a->tail, sizeof(a->tail));
	memcpy(seam + sizeof(a->tail), p, m);
	if (memmem(p, n, ARCHIVE_ACL, strlen(ARCHIVE_ACL)) ||
	    memmem(seam, sizeof(a->tail) + m, ARCHIVE_ACL, strlen(ARCHIVE_ACL)))
		a->header_max = ARCHIVE_ACL_MAX;
	memmove(a->tail, seam + m, sizeof(a->tail));
	if (m == sizeof(a->tail))
		memcpy(a->tail, p + n - m, m);
}

/* Counts `n` bytes at `p`, before anybody parses them. */
static int admit(struct archive_in *a, const void *p, size_t n, struct err *e)
{
	if (!a->begun && a->a && check_begin(a, p, n, e) < 0)
		return -1;
	if (a->in_header && a->a)
		look_for_acl(a, p, n);
	a->begun = true;
	a->stream += n;
	a->header += n;
	return archive_in_check_header(a, e) < 0 ? -1 : archive_in_count(a, e);
}

ssize_t archive_in_fill(struct archive_in *a, struct err *e)
{
	const void *p;
	ssize_t n = (ssize_t)a->n_rest;

	if (n > 0)
		return n;
	n = archive_input_next(&a->input, &p, e);
	a->rest = p;
	a->n_rest = n > 0 ? (size_t)n : 0;
	return n;
}

ssize_t archive_in_bytes(struct archive_in *a, const void **ret, struct err *e)
{
	ssize_t n = archive_in_fill(a, e);

	if (n > PIECE)
		n = PIECE;
	if (n <= 0)
		return n;
	*ret = a->rest;
	a->rest += n;
	a->n_rest -= (size_t)n;
	return admit(a, *ret, (size_t)n, e) < 0 ? -1 : n;
}

int archive_in_copy_zip(struct archive_in *a, struct err *e)
{
	const void *p;
	ssize_t n;

	a->in_header = false;
	if (archive_zip_create(&a->zip, e) < 0)
		return -1;
	while ((n = archive_in_bytes(a, &p, e)) > 0)
		if (archive_zip_copy(&a->zip, p, (size_t)n, a->name, e) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

int archive_in_finish(struct archive_in *a, struct err *e)
{
	const void *p;
	ssize_t n = a->input.type ? 1 : 0;

	while (n > 0)
		n = archive_in_bytes(a, &p, e);
	return n < 0 ? -1 : 0;
}

ssize_t archive_in_read_single(struct archive_in *a, void *buf, size_t len, struct err *e)
{
	ssize_t n = archive_input_read(&a->input, buf, len, e);

	if (n > 0 && admit(a, buf, (size_t)n, e) < 0)
		return -1;
	return n;
}

/* libarchive stops at the archive's end mark, so the bytes that compressors and signers
 * append are read here. */
int archive_in_drain(struct archive_in *a, struct err *e)
{
	return archive_input_drain(&a->input, e);
}
