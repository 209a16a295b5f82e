/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of the list that is not understood is left out: then its image counts as one
 * that was replaced by the next rendering, and stays longer.
 *
 * An image's files are removed before its line is, so that a process that is killed in
 * between leaves a line without a folder, which has no effect.
 */
#include "pxe/kept-images.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pxe/access.h"
#include "pxe/tree-parts.h"

#include <time.h>

#define IMAGES   "http/images"
#define LIST_MAX (1024 * 1024)
#define KEEP_FOR "keep-for "

struct kept_image {
	char id[TREE_ID_LEN];
	uint64_t last;
};

struct kept_images {
	uint64_t keep_for;
	struct kept_image *v;
	size_t n;
};

static void kept_images_done(struct kept_images *k)
{
	free(k->v);
	*k = (struct kept_images){0};
}
#define _cleanup_kept_images_ _cleanup_(kept_images_done)

static uint64_t now_s(void)
{
	time_t t = time(NULL);

	return t > 0 ? (uint64_t)t : 0;
}

/* Returns the length of the image's id at the beginning of `s`, or 0. */
static size_t id_len(const char *s)
{
	static const size_t parts[] = {16, 8, 8};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (i > 0 && s[len++] != '-')
			return 0;
		if (strspn(s + len, "0123456789abcdef") != parts[i])
			return 0;
		len += parts[i];
	}
	return len;
}

static struct kept_image *find(const struct kept_images *k, const char *id, size_t len)
{
	for (size_t i = 0; i < k->n; i++)
		if (strlen(k->v[i].id) == len && memcmp(k->v[i].id, id, len) == 0)
			return &k->v[i];
	return NULL;
}

static void add(struct kept_images *k, const char *id, size_t len, uint64_t last)
{
	k->v = xgrow(k->v, k->n, sizeof(*k->v));
	k->v[k->n] = (struct kept_image){.last = last};
	memcpy(k->v[k->n++].id, id, len);
}

/* --- the list ----------------------------------------------------------------------- */

static void parse_line(struct kept_images *k, const char *line)
{
	const char *rest = str_after(line, KEEP_FOR);
	size_t len = rest ? 0 : id_len(line);
	uint64_t n;

	if (rest && str_to_u64(rest, UINT64_MAX, &n) == 0)
		k->keep_for = n;
	else if (len > 0 && len < TREE_ID_LEN && line[len] == ' ' &&
		 !find(k, line, len) && str_to_u64(line + len + 1, UINT64_MAX, &n) == 0)
		add(k, line, len, n);
}

/* Reads the list of a tree; none is an empty one. Returns 0 or -errno. */
static int read_list(int tree, struct kept_images *ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	int r = file_read_foreign_at(tree, TREE_KEPT_IMAGES, LIST_MAX, &text, NULL);

	*ret = (struct kept_images){0};
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++)
		parse_line(ret, lines[i]);
	return 0;
}

static int write_list(int tree, const struct kept_images *k)
{
	_cleanup_buf_ struct buf b = {0};

	buf_printf(&b, KEEP_FOR "%llu\n", (unsigned long long)k->keep_for);
	for (size_t i = 0; i < k->n; i++)
		buf_printf(&b, "%s %llu\n", k->v[i].id, (unsigned long long)k->v[i].last);
	return file_write_at(tree, TREE_KEPT_IMAGES, b.p, b.len, 0644);
}

/* --- requests ----------------------------------------------------------------------- */

/* Notes the requests in a log of the tree. Times of the future count as now. */
static void note_log(int tree, const char *log, struct kept_images *k, uint64_t now)
{
	struct tail t = {0};
	struct access a;
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d/%s", tree, log);

	tail_open(&t, path, false);
	while (access_next(&t, &a) > 0) {
		const char *id = str_after(a.path, "/images/");
		struct kept_image *i = id ? find(k, id, strcspn(id, "/")) : NULL;
		uint64_t at = a.end_ms / 1000 < now ? a.end_ms / 1000 : now;

		if (i && at > i->last)
			i->last = at;
	}
	tail_done(&t);
}

/* Sets the times of the images in the list to their last requests. */
static void note_requests(int tree, struct kept_images *k, uint64_t now)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].last > now)
			k->v[i].last = now;
	if (k->n == 0)
		return;
	note_log(tree, TREE_ACCESS_LOG ".old", k, now);
	note_log(tree, TREE_ACCESS_LOG, k, now);
}

static bool is_over(const struct kept_image *i, uint64_t keep_for, uint64_t now)
{
	return now - i->last > keep_for;
}

/* --- a new tree --------------------------------------------------------------------- */

static bool is_usable(const struct stat *st)
{
	return file_is_trusted(st) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Links the regular files of a folder into a new one. Returns 0 or -errno. */
static int link_files(int from, int to)
{
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r = fstat(from, &st) < 0 ? -errno
		: is_usable(&st)     ? dir_names_at(from, ".", &names)
				     : -EACCES;

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		if (fstatat(from, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = errno == ENOENT ? 0 : -errno; /* `serve` removes it */
		else if (!S_ISREG(st.st_mode) || !is_usable(&st))
			r = -EACCES;
		else if (linkat(from, names[i], to, names[i], 0) < 0)
			r = errno == ENOENT ? 0 : -errno;
	}
	return r;
}

/* Links the image into the new tree's folder of images. Returns 0 or -errno. */
static int link_image(int from, int to, const char *id)
{
	_cleanup_close_ int old = dir_open_nofollow_at(from, id), new = -1;
	int r;

	if (old < 0)
		return old;
	if (mkdirat(to, id, 0755) < 0 || fchmodat(to, id, 0755, 0) < 0)
		return -errno;
	new = dir_open_nofollow_at(to, id);
	r = new < 0 ? new : link_files(old, new);
	if (r < 0)
		rm_rf_at(to, id);
	return r;
}

/* Adds the images of the old tree with their times to the list. Returns 0 or -errno. */
static int list_old(int old, int images, const char *current, uint64_t now,
		    struct kept_images *ret)
{
	_cleanup_kept_images_ struct kept_images had = {0};
	_cleanup_strv_ char **names = NULL;
	int r = read_list(old, &had);

	if (r == 0)
		r = dir_names_at(images, ".", &names);
	if (r < 0)
		return r;
	note_requests(old, &had, now);
	for (size_t i = 0; names && names[i]; i++) {
		size_t len = id_len(names[i]);
		const struct kept_image *k = find(&had, names[i], len);

		if (len > 0 && !names[i][len] && !streq(names[i], current))
			add(ret, names[i], len, k ? k->last : now);
	}
	return 0;
}

/* Links those whose time is not over, and leaves them in the list. */
static void link_images(int from, int to, struct kept_images *k, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++) {
		struct kept_image image = k->v[i];
		int r;

		if (is_over(&image, k->keep_for, now))
			continue;
		r = link_image(from, to, image.id);
		if (r < 0)
			log_warn(IMAGES "/%s of the old tree is not kept: %s", image.id,
				 strerror(-r));
		else
			k->v[n++] = image;
	}
	k->n = n;
}

int kept_images_link(int old, int new, const char *current, uint64_t keep_for,
		     struct err *e)
{
	_cleanup_kept_images_ struct kept_images k = {.keep_for = keep_for};
	_cleanup_close_ int from = old < 0 ? -1 : dir_open_nofollow_at(old, IMAGES);
	_cleanup_close_ int to = dir_open_nofollow_at(new, IMAGES);
	uint64_t now = now_s();
	int r = to < 0 ? to : 0;

	if (keep_for == 0)
		return 0;
	if (r == 0 && from >= 0)
		r = list_old(old, from, current, now, &k);
	if (r < 0)
		return err_errno(e, r, "the old tree's images");
	link_images(from, to, &k, now);
	r = write_list(new, &k);
	return r < 0 ? err_errno(e, r, TREE_KEPT_IMAGES) : 0;
}

/* --- a tree that is served ---------------------------------------------------------- */

/* Removes the images whose time is over, also from the list. Returns 0 or -errno. */
static int remove_images(int images, struct kept_images *k, uint64_t now)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < k->n; i++) {
		struct kept_image image = k->v[i];
		int removed = is_over(&image, k->keep_for, now)
				      ? rm_rf_at(images, image.id)
				      : -EBUSY;

		if (removed == 0) {
			log_info("image %s is removed: no host boots it, and no machine "
				 "has asked for it for %llu s",
				 image.id, (unsigned long long)(now - image.last));
			continue;
		}
		if (removed != -EBUSY)
			r = removed;
		k->v[n++] = image;
	}
	k->n = n;
	return r;
}

int kept_images_prune(const char *dir)
{
	_cleanup_kept_images_ struct kept_images k = {0};
	_cleanup_close_ int tree = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int images = -1;
	uint64_t now = now_s();
	int r = tree < 0 ? -errno : read_list(tree, &k), written;

	if (r < 0 || k.n == 0)
		return r;
	images = dir_open_nofollow_at(tree, IMAGES);
	if (images < 0)
		return images == -ENOENT ? 0 : images; /* a tree without its images */
	note_requests(tree, &k, now);
	r = remove_images(images, &k, now);
	written = write_list(tree, &k);
	return r < 0 ? r : written;
}
