/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image that was probably meant is found by content, like everything here: a boot
 * tree or the folder of an image has kernel, root image and manifest beside the disk.
 */
#include "builder/disk/disk-refusal.h"

#include "builder/disk/disk-image.h"
#include "lib/dir.h"
#include "lib/str.h"

#include <fcntl.h>

#define FILES_MAX 200  /* files of a folder that are looked at, ... */
#define FOUND_MAX 4    /* ... and images that are named */
#define LEAST     4096 /* bytes of an image, compressed */

/* Returns the paths of images in the folder but `except`, at most FOUND_MAX. Owned. */
static char **images_in(const char *dir, const char *except)
{
	const char *slash = *dir && dir[strlen(dir) - 1] == '/' ? "" : "/";
	_cleanup_strv_builder_ struct strv_builder found = {0};
	_cleanup_strv_ char **names = NULL;
	size_t seen = 0;

	if (dir_names_at(AT_FDCWD, *dir ? dir : ".", &names) < 0)
		return NULL;
	for (size_t i = 0; names && names[i] && found.n < FOUND_MAX; i++) {
		_cleanup_free_ char *path =
			xasprintf("%s%s%s", dir, *dir ? slash : "", names[i]);
		struct disk_content c;
		struct stat st;

		if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < LEAST)
			continue;
		if (++seen > FILES_MAX)
			break;
		if (!streq(path, except) && disk_image_peek(&c, path) &&
		    c.kind == CONTENT_DISK)
			strv_builder_add(&found, path);
	}
	return strv_builder_take(&found);
}

/* Returns "did you mean A, B or C?" for the images in the folder but `except`, or NULL.
 * Owned. */
static char *suggestion(const char *dir, const char *except)
{
	_cleanup_strv_ char **v = images_in(dir, except);
	struct buf b = {0};
	size_t n = strv_len(v);

	if (n == 0)
		return NULL;
	buf_puts(&b, "did you mean ");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", v[i]);
	buf_puts(&b, "?");
	return buf_take(&b);
}

/* Returns the folder of the file `path` as it was given, "" for the working folder. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrndup(path, slash ? (size_t)(slash + 1 - path) : 0);
}

int disk_refusal_set(struct err *e, const struct disk_content *c, const char *path,
		     const char *compression, bool writes)
{
	_cleanup_free_ char *dir = folder_of(path), *meant = suggestion(dir, path);
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, c->what);
	if (compression)
		buf_printf(&b, ", compressed with %s,", compression);
	buf_puts(&b, c->kind == CONTENT_BARE
			     ? " without partition table or boot sector: nothing would "
			       "boot from it"
		     : compression ? " not a disk image"
				   : ", not a disk image");
	if (c->advice)
		buf_printf(&b, "; %s", c->advice);
	if (meant)
		buf_printf(&b, "; %s", meant);
	if (writes)
		buf_puts(&b, " (option '--raw' writes the file as it is)");
	return err_set(e, ERR_FAILED, "%s: is %s", path, b.p);
}

int disk_refusal_of_type(struct err *e, mode_t mode, const char *path)
{
	_cleanup_free_ char *meant = S_ISDIR(mode) ? suggestion(path, "") : NULL;
	const char *what = S_ISDIR(mode)   ? "is a folder"
			   : S_ISBLK(mode) ? "is a disk, not a file"
					   : "is not a file";

	return err_set(e, ERR_FAILED, "%s: %s%s%s", path, what, meant ? ": " : "",
		       meant ? meant : "");
}
