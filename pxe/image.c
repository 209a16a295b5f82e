/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the folder of an image; image-json.c parses its manifest.json. */
#include "firstboot/model/sha256.h"
#include "lib/file.h"
#include "pxe/image-check.h"
#include "pxe/image-json.h"

#define SUMS_MAX (1U << 20)

/* Compares the image with its SHA256SUMS, if it has one. */
static int check_sums(const struct image *i, const char *manifest, size_t len,
		      struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/SHA256SUMS", i->dir), *sums = NULL;
	char sha256[DIGEST_LEN];
	int r = file_read_foreign_at(AT_FDCWD, path, SUMS_MAX, &sums, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(e, ERR_FAILED, "SHA256SUMS: %s", file_strerror(r));
	return image_check_sums(i, sums, digest_sha256(manifest, len, sha256), e);
}

static int image_read(struct image *i, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/manifest.json", i->dir), *text = NULL;
	size_t len = 0;
	int r = file_read_foreign_at(AT_FDCWD, path, IMAGE_MANIFEST_MAX, &text, &len);

	if ((r == -ENOENT || r == -ENOTDIR) && !strchr(i->dir, '/'))
		return err_set(e, ERR_FAILED,
			       "neither %s nor out/%s has a manifest.json: `rackstrap "
			       "build` makes an image in out/",
			       i->dir, i->dir);
	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(e, ERR_FAILED,
			       "no manifest.json: not the folder of an image "
			       "(`rackstrap build` makes one in out/)");
	if (r < 0)
		return err_set(e, ERR_FAILED, "manifest.json: %s", file_strerror(r));
	if (image_load(i, NULL, text, len, e) < 0)
		return -1;
	return check_sums(i, text, len, e);
}

int image_parse(struct image *ret, struct image_files *files, const char *text,
		size_t len, struct err *e)
{
	*ret = (struct image){0};
	if (files)
		*files = (struct image_files){0};
	if (image_load(ret, files, text, len, e) == 0)
		return 0;
	image_done(ret);
	if (files)
		image_files_done(files);
	return -1;
}

void image_files_done(struct image_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].type);
		free(f->v[i].target);
		free(f->v[i].sha256);
	}
	free(f->v);
	*f = (struct image_files){0};
}

int image_open(struct image *ret, const char *dir, struct err *e)
{
	*ret = (struct image){.dir = xstrdup(dir)};
	if (image_read(ret, e) < 0) {
		image_done(ret);
		return err_wrap(e, "image %s", dir);
	}
	return 0;
}

void image_done(struct image *i)
{
	free(i->dir);
	free(i->name);
	free(i->cmdline);
	free(i->kernel_sha256);
	free(i->initrd_sha256);
	free(i->root_sha256);
	strv_free(i->standins);
	strv_free(i->users);
	strv_free(i->groups);
	for (size_t k = 0; k < i->n_units; k++) {
		free(i->units[k].name);
		strv_free(i->units[k].files);
		strv_free(i->units[k].follows);
	}
	free(i->units);
	roles_done(&i->roles);
	host_templates_done(&i->templates);
	*i = (struct image){0};
}
