/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx makes its access log anew after SIGUSR1, so that file is renamed and no line is
 * lost (tail.h follows it). What a server writes to its standard error cannot be renamed:
 * the end of that log is copied and the file truncated. The servers append to their logs,
 * so they go on at the new end. Lines that are written between copy and truncation are
 * lost.
 */
#include "pxe/serve-logs.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pxe/kept-images.h"

#include <signal.h>

#define CHUNK    (256 * 1024)
#define PRUNE_MS (3600 * 1000)

int serve_log_open(const char *path, struct err *e)
{
	_cleanup_free_ char *old = xasprintf("%s.old", path);
	int fd;

	if (rename(path, old) < 0 && errno != ENOENT)
		return err_errno(e, errno, "%s", path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	return fd < 0 ? err_errno(e, errno, "%s", path) : fd;
}

/* Notes which images were asked for, and removes those whose time is over. */
static void prune_images(struct serve *s)
{
	int r = kept_images_prune(s->dir);

	s->prune_ms = clock_now_ms(CLOCK_MONOTONIC) + PRUNE_MS;
	if (r < 0)
		log_warn("%s: the images of before cannot be removed: %s", s->dir,
			 strerror(-r));
}

/* Returns 0 or -errno. While `rackstrap pxe` exchanges the tree there is no access log
 * for a moment; nginx must not make one then. */
static int bound_access(struct serve *s)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_ACCESS_LOG, s->dir);
	_cleanup_free_ char *old = xasprintf("%s.old", path);
	struct stat st;

	if (lstat(path, &st) == 0) {
		s->access_renamed = false;
		if ((uint64_t)st.st_size <= s->log_max)
			return 0;
		prune_images(s); /* the requests in `old` are lost now */
		if (rename(path, old) < 0)
			return -errno;
		s->access_renamed = true;
	} else if (errno != ENOENT) {
		return -errno;
	} else if (!s->access_renamed) {
		return 0;
	}
	/* Again until there is one: nginx may have failed to make it. */
	return kill(s->nginx.child.pid, SIGUSR1) < 0 ? -errno : 0;
}

/* Copies at most the last `max` of `size` bytes. Returns 0 or -errno. */
static int copy_end(int from, int to, uint64_t size, uint64_t max)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	uint64_t at = size > max ? size - max : 0;

	while (at < size) {
		size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		ssize_t n = pread(from, chunk, want, (off_t)at);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = write_all(to, chunk, (size_t)n);
		if (r < 0)
			return r;
		at += (uint64_t)n;
	}
	return 0;
}

/* Truncates the log also if it could not be copied. Returns 0 or -errno. */
static int bound_stderr(const struct serve_child *c, uint64_t max)
{
	_cleanup_free_ char *old = xasprintf("%s.old", c->log);
	_cleanup_close_ int to = -1;
	struct stat st;
	int r;

	if (fstat(c->child.errfd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size <= max)
		return 0;
	if (unlink(old) < 0 && errno != ENOENT)
		return -errno;
	to = open(old, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	r = to < 0 ? -errno : copy_end(c->child.errfd, to, (uint64_t)st.st_size, max);
	return ftruncate(c->child.errfd, 0) < 0 ? -errno : r;
}

void serve_logs_bound(struct serve *s)
{
	int access = s->nginx.pidfd < 0 ? 0 : bound_access(s);
	int nginx = s->nginx.pidfd < 0 ? 0 : bound_stderr(&s->nginx, s->log_max);
	int dnsmasq = s->dnsmasq.pidfd < 0 ? 0 : bound_stderr(&s->dnsmasq, s->log_max);
	int kea = s->kea.pidfd < 0 ? 0 : bound_stderr(&s->kea, s->log_max);
	int r = access < 0 ? access : nginx < 0 ? nginx : dnsmasq < 0 ? dnsmasq : kea;

	if (r < 0 && !s->log_fault)
		log_warn("%s/run: the servers' logs cannot be kept small: %s", s->dir,
			 strerror(-r));
	s->log_fault = r < 0;
	if (clock_now_ms(CLOCK_MONOTONIC) >= s->prune_ms)
		prune_images(s);
}
