/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the files of the image into a boot tree. One that the old tree has is linked, not
 * copied. The folder's name contains the digests; they are compared with the files all
 * the same, so that what was damaged does not stay.
 */
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pxe/cpio.h"
#include "pxe/image-check.h"
#include "pxe/tree-parts.h"

#define INITRD_PAD 512
#define MODE       0644

/* Pads a file with zeros to a multiple of 512: an EFI stub joins initrds without
 * padding. */
static int pad_file(int dirfd, const char *path, struct err *e)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (st.st_size % INITRD_PAD == 0)
		return 0;
	if (ftruncate(fd, (st.st_size / INITRD_PAD + 1) * INITRD_PAD) < 0)
		return err_errno(e, errno, "%s", path);
	return 0;
}

/* A file of the image in the tree. */
struct tree_part {
	enum image_part part;
	const char *name; /* in the tree */
	uint64_t size;    /* of the image's file, and where it begins in the tree's */
	uint64_t offset;
	const char *sha256;
};

#define ROOT_DIR  "rackstrap"
#define ROOT_FILE ROOT_DIR "/root.squashfs"

static struct tree_part tree_part(const struct image *i, enum image_part part)
{
	const struct tree_part parts[IMAGE_PARTS] = {
		[IMAGE_KERNEL] = {.name = "vmlinuz",
				  .size = i->kernel_size,
				  .sha256 = i->kernel_sha256},
		[IMAGE_INITRD] = {.name = "initrd.img",
				  .size = i->initrd_size,
				  .sha256 = i->initrd_sha256},
		[IMAGE_ROOT] = {.name = "root.cpio",
				.size = i->root_size,
				.offset = cpio_header_len(ROOT_DIR) +
					  cpio_header_len(ROOT_FILE),
				.sha256 = i->root_sha256},
	};
	struct tree_part ret = parts[part];

	ret.part = part;
	return ret;
}

/* Opens a file of the image's folder, which must have the size that is in the manifest.
 * Returns the descriptor, or -1. */
static int open_part(const struct image *i, const char *path, const struct tree_part *t,
		     struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, path);
	struct stat st;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", path, file_strerror(fd));
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if ((uint64_t)st.st_size != t->size)
		return err_set(e, ERR_FAILED,
			       "%s: has %llu bytes, manifest.json says %llu", path,
			       (unsigned long long)st.st_size,
			       (unsigned long long)t->size);
	if (!image_part_is_same(i, t->part, fd))
		return err_changed(e, path);
	return TAKE_FD(fd);
}

static int write_root_cpio(int dirfd, int in, const char *path, const struct image *i,
			   struct err *e)
{
	_cleanup_close_ int out = tree_create(dirfd, path, MODE, e);
	struct cpio c;

	if (out < 0)
		return -1;
	cpio_init(&c, out, i->epoch);
	if (cpio_dir(&c, ROOT_DIR, 0755, e) < 0 ||
	    cpio_file(&c, ROOT_FILE, 0644, in, i->root_size, e) < 0 ||
	    cpio_end(&c, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

/* Copies the image's file to `path` in the tree. */
static int copy_part(int dirfd, const struct image *i, const struct tree_part *t,
		     const char *path, struct err *e)
{
	_cleanup_free_ char *from = xasprintf("%s/%s", i->dir, image_part_names[t->part]);
	_cleanup_close_ int in = open_part(i, from, t, e);
	int r = in < 0                  ? -1
		: t->part == IMAGE_ROOT ? write_root_cpio(dirfd, in, path, i, e)
					: tree_copy_file(dirfd, in, from, path, e);

	if (r < 0)
		return -1;
	if (!image_part_is_same(i, t->part, in))
		return err_changed(e, from);
	return t->part == IMAGE_INITRD ? pad_file(dirfd, path, e) : 0;
}

static bool can_others_write(const struct stat *st)
{
	return !file_is_trusted(st) || (st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Appends the bytes that the tree's file has before and behind those of the image. */
static int append_around(struct buf *b, const struct image *i, const struct tree_part *t,
			 struct err *e)
{
	static const char zeros[INITRD_PAD];
	struct cpio c;

	if (t->part == IMAGE_INITRD && t->size % INITRD_PAD)
		buf_add(b, zeros, INITRD_PAD - t->size % INITRD_PAD);
	if (t->part != IMAGE_ROOT)
		return 0;
	cpio_init_buf(&c, b, i->epoch);
	if (cpio_dir(&c, ROOT_DIR, 0755, e) < 0 ||
	    cpio_file_around(&c, ROOT_FILE, 0644, t->size, e) < 0)
		return -1;
	return cpio_end(&c, e);
}

static bool has_bytes(int fd, uint64_t at, const char *want, size_t len)
{
	_cleanup_free_ char *is = xmalloc(len + 1);

	return pread(fd, is, len, (off_t)at) == (ssize_t)len &&
	       memcmp(is, want, len) == 0;
}

/* Returns true if the tree's file has the mode and the length that it is written with,
 * and the bytes around those of the image. */
static bool is_whole(int dir, const char *name, const struct image *i,
		     const struct tree_part *t)
{
	_cleanup_close_ int fd = file_open_foreign_at(dir, name);
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_mode & 07777) != MODE ||
	    append_around(&b, i, t, &e) < 0 || (uint64_t)st.st_size != t->size + b.len)
		return false;
	return b.len == 0 ||
	       (has_bytes(fd, 0, b.p, t->offset) &&
		has_bytes(fd, t->offset + t->size, b.p + t->offset, b.len - t->offset));
}

/* Opens the tree's file and compares its bytes with the image's. On success `l` has the
 * open file. Returns false when it differs. */
static bool has_part(int dir, const char *path, const struct image *i,
		     const struct tree_part *t, struct known_link *l)
{
	_cleanup_close_ int fd = file_open_foreign_at(dir, path);

	*l = (struct known_link){.fd = -1, .offset = t->offset, .len = t->size};
	if (fd < 0 || digest_stamp_wait(&l->stamp, fd) < 0 ||
	    known_digest(i->known, fd, t->offset, t->size, l->sha256) < 0 ||
	    !streq(l->sha256, t->sha256))
		return false;
	l->fd = TAKE_FD(fd);
	return true;
}

/* Links a file of the image from the old tree. Returns false if it is missing or damaged,
 * has another mode, or others can write it. With an image that was not checked, its path,
 * which contains the image's digests, says that it is right. */
static bool link_old(int dirfd, int old, const struct image *i, const struct tree_part *t,
		     const char *path, struct known_link *l)
{
	_cleanup_free_ char *above = NULL;
	const char *name;
	_cleanup_close_ int dir = -1;
	struct stat st;

	if (old < 0 || path_split(path, &above, &name) < 0)
		return false;
	dir = dir_open_nofollow_at(old, above);
	if (dir < 0 || fstat(dir, &st) < 0 || can_others_write(&st) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    can_others_write(&st))
		return false;
	if (!is_whole(dir, name, i, t) || (i->known && !has_part(dir, name, i, t, l))) {
		log_warn("%s of the old tree is damaged or has another mode: it is "
			 "written again",
			 path);
		return false;
	}
	if (linkat(dir, name, dirfd, path, 0) == 0)
		return true;
	if (l->fd >= 0)
		close(TAKE_FD(l->fd));
	return false; /* it has too many links, or is another user's: copied instead */
}

/* Writes a file of the image to `path` and reads it back, which also has its digest
 * remembered for the next rendering. */
static int write_part(int dirfd, const struct image *i, const struct tree_part *t,
		      const char *path, struct known_link *l, struct err *e)
{
	if (copy_part(dirfd, i, t, path, e) < 0)
		return -1;
	if (i->known && !has_part(dirfd, path, i, t, l))
		return err_set(e, ERR_FAILED,
			       "%s: is not as it was written (a full or failing disk?)",
			       path);
	return 0;
}

int tree_image_write(int dirfd, int old, struct tree_plan *p, struct err *e)
{
	for (enum image_part part = 0; part < IMAGE_PARTS; part++) {
		struct tree_part t = tree_part(p->image, part);
		struct known_link *l = &p->links[part];
		_cleanup_free_ char *path = xasprintf("http/images/%s/%s", p->id, t.name);

		if (!link_old(dirfd, old, p->image, &t, path, l) &&
		    write_part(dirfd, p->image, &t, path, l, e) < 0)
			return -1;
	}
	return 0;
}

void tree_image_done(struct tree_plan *p, bool keep)
{
	for (enum image_part part = 0; part < IMAGE_PARTS; part++) {
		struct known_link *l = &p->links[part];

		if (keep && p->image->known)
			known_digest_keep(p->image->known, l);
		if (l->fd >= 0)
			close(TAKE_FD(l->fd));
	}
}
