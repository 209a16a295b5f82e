/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/image-check.h"

#include "lib/file.h"

const char *const image_part_names[IMAGE_PARTS] = {
	[IMAGE_KERNEL] = "vmlinuz",
	[IMAGE_INITRD] = "initrd.img",
	[IMAGE_ROOT] = "root.squashfs",
};

static const char *wanted(const struct image *i, enum image_part part)
{
	const char *const sha256[IMAGE_PARTS] = {
		[IMAGE_KERNEL] = i->kernel_sha256,
		[IMAGE_INITRD] = i->initrd_sha256,
		[IMAGE_ROOT] = i->root_sha256,
	};

	return sha256[part];
}

/* Sets *ret to the digest in the line of SHA256SUMS for `name`, "SHA256  NAME". Owned.
 * Returns false when there is none. */
static bool find_sum(const char *sums, const char *name, char **ret)
{
	_cleanup_strv_ char **lines = strv_split(sums, "\n");
	_cleanup_free_ char *end = xasprintf("  %s", name);

	for (size_t k = 0; lines && lines[k]; k++) {
		size_t len = strcspn(lines[k], " ");

		if (!streq(lines[k] + len, end))
			continue;
		*ret = xstrndup(lines[k], len);
		return true;
	}
	return false;
}

static int damaged(const char *name, const char *is, const char *want, const char *where,
		   struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "%s has sha256 %s, but %s in %s: it was damaged or changed; build "
		       "the image again",
		       name, is, want, where);
}

static int check_sum(const char *sums, const char *name, const char *is, struct err *e)
{
	_cleanup_free_ char *want = NULL;

	if (!find_sum(sums, name, &want))
		return err_set(e, ERR_FAILED,
			       "SHA256SUMS does not list %s: build the image again",
			       name);
	return streq(is, want) ? 0 : damaged(name, is, want, "SHA256SUMS", e);
}

int image_check_sums(const struct image *i, const char *sums, const char *manifest,
		     struct err *e)
{
	if (check_sum(sums, "manifest.json", manifest, e) < 0)
		return -1;
	for (enum image_part part = 0; part < IMAGE_PARTS; part++) {
		_cleanup_free_ char *want = NULL;

		if (!find_sum(sums, image_part_names[part], &want))
			return err_set(e, ERR_FAILED,
				       "SHA256SUMS does not list %s: build the image "
				       "again",
				       image_part_names[part]);
		if (!streq(want, wanted(i, part)))
			return err_set(e, ERR_FAILED,
				       "SHA256SUMS: %s is %s, but %s in manifest.json: "
				       "build the image again",
				       image_part_names[part], want, wanted(i, part));
	}
	return 0;
}

static int check_part(struct image *i, enum image_part part,
		      const struct known_digests *k, struct err *e)
{
	const char *name = image_part_names[part];
	_cleanup_free_ char *path = xasprintf("%s/%s", i->dir, name);
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, path);
	char sha256[KNOWN_DIGEST_LEN];
	int r = fd < 0 ? fd : digest_stamp_take(&i->stamps[part], fd);

	if (r == 0)
		r = known_digest_file(k, fd, sha256, NULL);
	if (r < 0)
		return err_set(e, ERR_FAILED, "%s: %s", name, file_strerror(r));
	if (!streq(sha256, wanted(i, part)))
		return damaged(name, sha256, wanted(i, part), "manifest.json", e);
	return 0;
}

int image_check(struct image *i, const struct known_digests *k, struct err *e)
{
	for (enum image_part part = 0; part < IMAGE_PARTS; part++)
		if (check_part(i, part, k, e) < 0)
			return err_wrap(e, "image %s", i->dir);
	i->known = k;
	return 0;
}

bool image_part_is_same(const struct image *i, enum image_part part, int fd)
{
	return !i->known || digest_stamp_holds(&i->stamps[part], fd);
}
