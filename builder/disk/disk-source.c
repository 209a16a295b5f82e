/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/disk/disk-source.h"

#include "lib/str.h"

/* Digests the image's file. */
static int digest_file(const struct disk_image *image, const struct known_digests *k,
		       char out[static KNOWN_DIGEST_LEN], struct err *e)
{
	int r = known_digest_file(k, image->file, out, NULL);

	return r < 0 ? err_errno(e, r, "%s", image->path) : 0;
}

static int compare(const struct disk_image *image, const struct image_sums *sums,
		   const char *sha256, struct err *e)
{
	if (!*sums->sha256 || streq(sums->sha256, sha256))
		return 0;
	return err_set(
		e, ERR_FAILED,
		"%s: has sha256 %s, but %s in SHA256SUMS beside it: it was damaged "
		"or changed; build it again",
		image->path, sha256, sums->sha256);
}

int disk_source_verify(const struct disk_image *image, const struct known_digests *k,
		       struct err *e)
{
	_cleanup_image_sums_ struct image_sums sums = {0};
	char sha256[KNOWN_DIGEST_LEN];

	if (!image_sums_read(&sums, image->path))
		return 0;
	if (digest_file(image, k, sha256, e) < 0)
		return -1;
	return compare(image, &sums, sha256, e);
}

int disk_source_begin(struct disk_source *ret, struct disk_image *image,
		      const struct known_digests *k, struct err *e)
{
	_cleanup_disk_source_ struct disk_source s = {.image = image, .known = k};

	bool raw = streq(image->format, "raw");

	if ((image_sums_read(&s.sums, image->path) || !raw) &&
	    (digest_file(image, k, s.sha256, e) < 0 ||
	     compare(image, &s.sums, s.sha256, e) < 0))
		return -1;
	if (raw)
		s.stream = digest_new(DIGEST_SHA256);
	if (disk_image_rewind(image, e) < 0)
		return -1;
	*ret = s;
	s = (struct disk_source){0};
	return 0;
}

void disk_source_done(struct disk_source *s)
{
	image_sums_done(&s->sums);
	digest_free(s->stream);
	*s = (struct disk_source){0};
}

int disk_source_read(struct disk_source *s, void *buf, size_t len, struct err *e)
{
	if (disk_image_read(s->image, buf, len, e) < 0)
		return disk_image_is_unchanged(s->image, s->image->path)
			       ? -1
			       : err_changed(e, s->image->path);
	if (s->stream)
		digest_add(s->stream, buf, len);
	return 0;
}

int disk_source_check(struct disk_source *s, struct err *e)
{
	char sha256[DIGEST_HEX_MAX];

	if (!disk_image_is_unchanged(s->image, s->image->path))
		return err_changed(e, s->image->path);
	if (s->stream)
		return compare(s->image, &s->sums, digest_peek(s->stream, sha256), e);
	if (digest_file(s->image, s->known, sha256, e) < 0)
		return -1;
	return streq(sha256, s->sha256) ? 0 : err_changed(e, s->image->path);
}
