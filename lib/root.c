/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openat2(2) with RESOLVE_IN_ROOT, which Linux has since 5.6. On older kernels, and where
 * a filter of system calls refuses it, the path is walked here: each component is opened
 * by its name alone and never followed, and the text of a symlink is put in front of the
 * rest of the path. The directories on the way stay open, so that ".." is the one from
 * which the walk came, also when a directory was moved out of the root meanwhile.
 *
 * Limits of the walk: DEPTH_MAX directories; a link to an open file in /proc/PID, which
 * openat2(2) refuses with ELOOP, is taken for a symlink with that text.
 */
#include "lib/root.h"

#include "lib/file.h"
#include "lib/str.h"

#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#define LINKS_MAX 40  /* the kernel's MAXSYMLINKS (include/linux/namei.h) */
#define DEPTH_MAX 256 /* of directories that are open at the same time */
#define TRIES_MAX 64

/* --- the walk ----------------------------------------------------------------------- */

struct walk {
	int root;
	int dirs[DEPTH_MAX]; /* from the root down to the present directory */
	size_t depth;
	char *path;       /* owned; what is left of it begins at `rest` */
	const char *rest; /* points into `path` */
	unsigned links;
};

static int walk_dir(const struct walk *w)
{
	return w->depth > 0 ? w->dirs[w->depth - 1] : w->root;
}

static void walk_up(struct walk *w)
{
	if (w->depth > 0)
		close(w->dirs[--w->depth]);
}

static void walk_done(struct walk *w)
{
	while (w->depth > 0)
		walk_up(w);
	free(w->path);
}
#define _cleanup_walk_ _cleanup_(walk_done)

/* Goes into the directory, whose descriptor it owns from then on. */
static int walk_down(struct walk *w, int fd)
{
	if (w->depth == DEPTH_MAX) {
		close(fd);
		return -ENAMETOOLONG;
	}
	w->dirs[w->depth++] = fd;
	return 0;
}

/* Puts the target of the symlink `name` in the place of that component. Returns 0,
 * -EINVAL when it is not a symlink, or -errno. */
static int walk_link(struct walk *w, const char *name, const char *after)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(walk_dir(w), name, target, sizeof(target) - 1);
	char *joined;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (n < 0)
		return -errno;
	target[n] = '\0';
	while (*target == '/' && w->depth > 0)
		walk_up(w);
	joined = xasprintf("%s%s", target, after);
	free(w->path);
	w->rest = w->path = joined;
	return 0;
}

/* Opens one component without following it. Returns -ELOOP for a symlink, or -ENOTDIR if
 * `flags` have O_DIRECTORY; with `nofollow` and O_PATH, the symlink itself. */
static int open_component(int dir, const char *name, int flags, bool nofollow)
{
	struct stat st;
	int fd;

	do
		fd = openat(dir, name, flags | O_NOFOLLOW);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	if (nofollow || !(flags & O_PATH) || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return fd;
	close(fd);
	return -ELOOP;
}

/* Takes one step. Returns true at the end of the path, with *ret a descriptor of what it
 * leads to or -errno. */
static bool walk_step(struct walk *w, int flags, int *ret)
{
	const char *at = w->rest + strspn(w->rest, "/"), *after = at + strcspn(at, "/");
	bool last = !after[strspn(after, "/")], follow = !(flags & O_NOFOLLOW) || *after;
	_cleanup_free_ char *name = xstrndup(at, (size_t)(after - at));
	int r;

	w->rest = after;
	if (!*name) {
		*ret = open_component(walk_dir(w), ".", flags, false);
		return true;
	}
	if (streq(name, ".") || streq(name, "..")) {
		if (name[1])
			walk_up(w);
		return false;
	}
	if (!last)
		flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	else if (*after) /* a slash at the end */
		flags |= O_DIRECTORY;
	*ret = open_component(walk_dir(w), name, flags, !follow);
	if (follow && (*ret == -ELOOP || *ret == -ENOTDIR)) {
		r = walk_link(w, name, after);
		if (r == -EINVAL && *ret == -ELOOP) { /* it was replaced meanwhile */
			w->rest = at;
			return false;
		}
		if (r != -EINVAL)
			*ret = r;
		return r < 0;
	}
	if (last || *ret < 0)
		return true;
	*ret = walk_down(w, *ret);
	return *ret < 0;
}

static int walk(int rootfd, const char *path, int flags)
{
	_cleanup_walk_ struct walk w = {.root = rootfd, .path = xstrdup(path)};
	int r = -ENOENT;

	if (!*path)
		return r;
	w.rest = w.path;
	while (!walk_step(&w, flags, &r))
		;
	return r;
}

/* --- interface ---------------------------------------------------------------------- */

int root_open(int rootfd, const char *path, int flags)
{
	struct open_how how = {.resolve = RESOLVE_IN_ROOT};

	flags |= O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY);
	how.flags = (uint64_t)flags;
	/* EAGAIN: something was renamed or mounted anywhere while ".." was resolved. */
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		long fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno == ENOSYS ||
		    errno == EPERM) /* EPERM: an old container's filter */
			break;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return walk(rootfd, path, flags);
}

int root_open_parent(int rootfd, const char *path, const char **name)
{
	_cleanup_free_ char *dir = NULL;
	int r = path_split(path, &dir, name);

	return r < 0 ? r : root_open(rootfd, dir, O_RDONLY | O_DIRECTORY);
}
