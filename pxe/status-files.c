/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change is shown after PAUSE_MS, or later if the files take long to make: at most one
 * part in SHARE of the time is spent on them. They are not synced, because they are made
 * again at the next start.
 */
#include "pxe/status-files.h"

#include "lib/clock.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pxe/status-json.h"
#include "pxe/status-metrics.h"
#include "pxe/status-page.h"

#include <unistd.h>

#define PAUSE_MS 2000
#define IDLE_MS  15000 /* without a change */
#define SHARE    20

unsigned status_files_refresh_s(size_t n)
{
	return n <= 500 ? 5 : n <= 2500 ? 15 : 60;
}

/* Gives the folder to the tree's owner, who must be able to remove it. */
static void give_to_owner(int fd, int tree)
{
	struct stat st;

	if (geteuid() == 0 && fstat(tree, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

/* Returns the folder's descriptor or -errno. It is reached by its name each time: the
 * tree may have been exchanged. */
static int open_folder(const char *dir)
{
	_cleanup_close_ int tree = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (tree < 0)
		return -errno;
	fd = dir_open_nofollow_at(tree, TREE_STATUS);
	if (fd != -ENOENT)
		return fd;
	if (mkdirat(tree, TREE_STATUS, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = dir_open_nofollow_at(tree, TREE_STATUS);
	if (fd >= 0)
		give_to_owner(fd, tree);
	return fd;
}

/* Writes one file. Frees `text`. Returns 0 or -errno. */
static int write_file(int dirfd, const char *name, char *text)
{
	_cleanup_free_ char *data = text, *tmp = xasprintf(".%s.new", name);
	_cleanup_close_ int fd = -1;
	int r;

	if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, data, strlen(data));
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return r;
}

int status_files_write(const struct tracker *t, uint64_t now_ms, unsigned refresh_s)
{
	_cleanup_close_ int fd = open_folder(t->dir);
	int r = fd < 0 ? fd : 0;

	if (r == 0)
		r = write_file(fd, "metrics", status_metrics(t, now_ms));
	if (r == 0)
		r = write_file(fd, "status.json", status_live_json(t, now_ms));
	if (r == 0)
		r = write_file(fd, "index.html", status_page(t, now_ms, refresh_s));
	return r;
}

static void write_all_files(struct status_files *f, uint64_t now_ms)
{
	const struct tracker *t = &f->tracker;
	uint64_t start = clock_now_ms(CLOCK_MONOTONIC);
	int r = status_files_write(t, now_ms, status_files_refresh_s(t->status.n));

	if (r < 0 && !f->fault)
		log_warn("%s/" TREE_STATUS ": the status page cannot be written: %s",
			 t->dir, file_strerror(r));
	f->fault = r < 0;
	f->changes = t->changes;
	f->written_ms = now_ms;
	f->took_ms = clock_now_ms(CLOCK_MONOTONIC) - start;
}

void status_files_open(struct status_files *ret, const char *dir,
		       const struct tree_info *info, uint64_t now_ms)
{
	*ret = (struct status_files){0};
	tracker_open(&ret->tracker, dir, info, now_ms);
	write_all_files(ret, now_ms);
}

bool status_files_turn(struct status_files *f, uint64_t now_ms)
{
	bool more = tracker_turn(&f->tracker, now_ms);
	uint64_t pause = f->tracker.changes == f->changes ? IDLE_MS : PAUSE_MS;
	uint64_t least = f->took_ms * SHARE;

	pause = least > pause ? least : pause;
	/* Also when the clock was set back. */
	if (now_ms >= f->written_ms + pause || now_ms < f->written_ms)
		write_all_files(f, now_ms);
	return more;
}

void status_files_done(struct status_files *f)
{
	tracker_done(&f->tracker);
	*f = (struct status_files){0};
}
