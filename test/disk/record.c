/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: because of --wrap, every call of the program under test comes here first.
 * Opening a file for writing in a way that the model does not cover (in parent_of,
 * truncating) fails the test.
 */
#include "disk.h"

#include <fcntl.h>
#include <limits.h>

struct record recording;

int __real_openat64(int dirfd, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_fchmodat(int dirfd, const char *path, mode_t mode, int flags);
int __real_renameat(int from, const char *old, int to, const char *new);
int __real_unlinkat(int dirfd, const char *path, int flags);
int __real_mkdirat(int dirfd, const char *path, mode_t mode);
int __real_symlinkat(const char *target, int dirfd, const char *path);

int __wrap_openat64(int dirfd, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmodat(int dirfd, const char *path, mode_t mode, int flags);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_unlinkat(int dirfd, const char *path, int flags);
int __wrap_mkdirat(int dirfd, const char *path, mode_t mode);
int __wrap_symlinkat(const char *target, int dirfd, const char *path);

/* Returns the part of the path below the recorded root, "" for the root itself, or NULL
 * when the path is not recorded. run/ is not recorded because it is a tmpfs. */
static const char *below_root(const char *path)
{
	const char *p = *recording.root ? str_after(path, recording.root) : NULL;

	if (!p || (*p && *p != '/'))
		return NULL;
	p += *p == '/';
	return str_after(p, "run/") || streq(p, "run") ? NULL : p;
}

static const char *path_of_fd(int fd, char out[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n < 0)
		return NULL;
	out[n] = '\0';
	return below_root(out);
}

static const char *path_at(int dirfd, const char *path, char out[static PATH_MAX])
{
	char full[PATH_MAX];
	const char *p;

	if (!*recording.root || *path == '/' || dirfd < 0)
		return NULL;
	if (!path_of_fd(dirfd, full)) /* run/ itself is opened below the root */
		return NULL;
	snprintf(out, PATH_MAX, "%.2000s%s%.2000s", full, streq(path, ".") ? "" : "/",
		 streq(path, ".") ? "" : path);
	p = below_root(out);
	return p ? memmove(out, p, strlen(p) + 1) : NULL;
}

/* Returns the directory's node and sets *name to the last component; fails the test when
 * there is no such directory. */
static unsigned parent_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir =
		slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	int node = disk_find(&recording.live, dir);

	if (node < 0)
		fail_msg("%s is in no directory that is known", path);
	*name = disk_keep(slash ? slash + 1 : path, strlen(slash ? slash + 1 : path));
	return (unsigned)node;
}

static struct op *add(enum op_kind kind)
{
	struct op *o = &recording.op[recording.n];

	assert_true(recording.n < DISK_OPS);
	*o = (struct op){.kind = kind};
	return o;
}

static void done(const struct op *o)
{
	disk_do(&recording.live, o, 0);
	recording.n++;
}

static void create(const char *path, mode_t mode, const char *data, size_t len)
{
	struct op *o = add(OP_CREATE);

	o->dir = parent_of(path, &o->name);
	o->mode = mode;
	o->node = disk_node(&recording.live, mode, disk_keep(data, len), len);
	done(o);
}

static void node_op(enum op_kind kind, const char *path, mode_t mode)
{
	struct op *o = add(kind);
	int node = disk_find(&recording.live, path);

	if (node < 0)
		fail_msg("%s is not known", path);
	o->node = (unsigned)node;
	if (kind == OP_CHMOD)
		o->mode = (recording.live.node[node].mode & (mode_t)S_IFMT) | mode;
	done(o);
}

/* --- the calls -------------------------------------------------------------------- */

int __wrap_openat64(int dirfd, const char *path, int flags, ...)
{
	char full[PATH_MAX];
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
	mode_t mode = 0;
	va_list ap;
	int fd;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	fd = __real_openat64(dirfd, path, flags, mode);
	if (fd < 0 || !writes || !path_of_fd(fd, full))
		return fd;
	if (!(flags & O_CREAT) || !(flags & O_EXCL))
		fail_msg("%s is written in place", path_of_fd(fd, full));
	create(path_of_fd(fd, full), S_IFREG | mode, "", 0);
	return fd;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	ssize_t n = __real_write(fd, data, len);
	_cleanup_buf_ struct buf b = {0};
	char full[PATH_MAX];
	const char *path = n > 0 ? path_of_fd(fd, full) : NULL;
	struct disk_node *old;
	struct op *o;
	int node;

	if (!path)
		return n;
	node = disk_find(&recording.live, path);
	if (node < 0)
		fail_msg("%s is not known", path);
	old = &recording.live.node[node];
	buf_add(&b, old->data, old->len);
	buf_add(&b, data, (size_t)n);
	o = add(OP_WRITE);
	o->node = (unsigned)node;
	o->kept = old->len;
	o->data = disk_keep(b.p, b.len);
	o->len = b.len;
	done(o);
	return n;
}

/* Does not call fsync(2): the disks of the tests are made in memory. */
int __wrap_fsync(int fd)
{
	char full[PATH_MAX];
	const char *path = path_of_fd(fd, full);

	if (path)
		node_op(OP_FSYNC, path, 0);
	return 0;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	int r = __real_fchmod(fd, mode);
	char full[PATH_MAX];
	const char *path = r == 0 ? path_of_fd(fd, full) : NULL;

	if (path)
		node_op(OP_CHMOD, path, mode);
	return r;
}

int __wrap_fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	int r = __real_fchmodat(dirfd, path, mode, flags);
	char full[PATH_MAX];

	if (r == 0 && path_at(dirfd, path, full))
		node_op(OP_CHMOD, full, mode);
	return r;
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	char a[PATH_MAX], b[PATH_MAX];
	bool ours = path_at(from, old, a) && path_at(to, new, b);
	int r = __real_renameat(from, old, to, new);
	struct op *o;

	if (r < 0 || !ours)
		return r;
	o = add(OP_RENAME);
	o->node = (unsigned)disk_find(&recording.live, a);
	o->dir = parent_of(a, &o->name);
	o->dir2 = parent_of(b, &o->name2);
	done(o);
	return r;
}

int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
	char full[PATH_MAX];
	int r = __real_unlinkat(dirfd, path, flags);
	struct op *o;

	if (r < 0 || !path_at(dirfd, path, full))
		return r;
	o = add(OP_UNLINK);
	o->dir = parent_of(full, &o->name);
	done(o);
	return r;
}

int __wrap_mkdirat(int dirfd, const char *path, mode_t mode)
{
	char full[PATH_MAX];
	int r = __real_mkdirat(dirfd, path, mode);

	if (r == 0 && path_at(dirfd, path, full))
		create(full, S_IFDIR | mode, "", 0);
	return r;
}

int __wrap_symlinkat(const char *target, int dirfd, const char *path)
{
	char full[PATH_MAX];
	int r = __real_symlinkat(target, dirfd, path);

	if (r == 0 && path_at(dirfd, path, full))
		create(full, S_IFLNK | 0777, target, strlen(target));
	return r;
}

void record_begin(const char *root, const struct disk *d)
{
	recording.live = *d;
	recording.n = 0;
	snprintf(recording.root, sizeof(recording.root), "%s", root);
}

void record_end(void)
{
	recording.root[0] = '\0';
}
