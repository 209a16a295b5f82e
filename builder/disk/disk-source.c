/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/disk/disk-source.h"

#include "lib/str.h"

static int changed(const struct disk_source *s, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "%s: changed while it was read: wait until nothing writes to it, "
		       "and run again",
		       s->image->path);
}

/* Digests the image's file. */
static int digest_file(const struct disk_source *s, char out[static DIGEST_HEX_MAX],
		       struct err *e)
{
	int fd = s->image->file;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno
					   : digest_fd(fd, DIGEST_SHA256, out, NULL);

	return r < 0 ? err_errno(e, r, "%s", s->image->path) : 0;
}

static int compare(const struct disk_source *s, const char *sha256, struct err *e)
{
	if (!*s->sums.sha256 || streq(s->sums.sha256, sha256))
		return 0;
	return err_set(
		e, ERR_FAILED,
		"%s: has sha256 %s, but %s in SHA256SUMS beside it: it was damaged "
		"or changed; build it again",
		s->image->path, sha256, s->sums.sha256);
}

int disk_source_begin(struct disk_source *ret, struct disk_image *image, struct err *e)
{
	_cleanup_disk_source_ struct disk_source s = {.image = image};

	(void)!image_sums_read(&s.sums, image->path);
	if (streq(image->format, "raw"))
		s.stream = digest_new(DIGEST_SHA256);
	else if (digest_file(&s, s.sha256, e) < 0 || compare(&s, s.sha256, e) < 0)
		return -1;
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
		return disk_image_is_unchanged(s->image, s->image->path) ? -1
									 : changed(s, e);
	if (s->stream)
		digest_add(s->stream, buf, len);
	return 0;
}

int disk_source_check(struct disk_source *s, struct err *e)
{
	char sha256[DIGEST_HEX_MAX];

	if (!disk_image_is_unchanged(s->image, s->image->path))
		return changed(s, e);
	if (s->stream)
		return compare(s, digest_peek(s->stream, sha256), e);
	if (digest_file(s, sha256, e) < 0)
		return -1;
	return streq(sha256, s->sha256) ? 0 : changed(s, e);
}
