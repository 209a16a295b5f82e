/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include "lib/file.h"

#include <fcntl.h>

static char **kept; /* the arena */
static size_t n_kept;

const char *disk_keep(const void *data, size_t len)
{
	kept = xrealloc(kept, (n_kept + 1) * sizeof(*kept));
	kept[n_kept] = xmalloc(len + 1);
	if (len)
		memcpy(kept[n_kept], data, len);
	kept[n_kept][len] = '\0';
	return kept[n_kept++];
}

void disk_forget(void)
{
	for (size_t i = 0; i < n_kept; i++)
		free(kept[i]);
	free(kept);
	kept = NULL;
	n_kept = 0;
}

/* --- names ------------------------------------------------------------------------ */

void disk_init(struct disk *d)
{
	*d = (struct disk){.n_nodes = 1};
	d->node[0] = (struct disk_node){.mode = S_IFDIR | 0755, .data = ""};
}

unsigned disk_node(struct disk *d, mode_t mode, const char *data, size_t len)
{
	assert_true(d->n_nodes < DISK_NODES);
	d->node[d->n_nodes] = (struct disk_node){.mode = mode, .data = data, .len = len};
	return d->n_nodes++;
}

static struct disk_name *find_name(struct disk *d, unsigned dir, const char *name)
{
	for (unsigned i = 0; i < d->n_names; i++)
		if (d->name[i].dir == dir && streq(d->name[i].name, name))
			return &d->name[i];
	return NULL;
}

static void name_set(struct disk *d, unsigned dir, const char *name, unsigned node)
{
	struct disk_name *n = find_name(d, dir, name);

	if (!n) {
		assert_true(d->n_names < DISK_NAMES);
		n = &d->name[d->n_names++];
	}
	*n = (struct disk_name){.dir = dir, .node = node, .name = name};
}

static void name_drop(struct disk *d, unsigned dir, const char *name)
{
	struct disk_name *n = find_name(d, dir, name);

	if (n)
		*n = d->name[--d->n_names];
}

int disk_find(struct disk *d, const char *path)
{
	_cleanup_strv_ char **parts = *path ? strv_split(path, "/") : NULL;
	unsigned node = 0;

	for (size_t i = 0; parts && parts[i]; i++) {
		struct disk_name *n = find_name(d, node, parts[i]);

		if (!n)
			return -1;
		node = n->node;
	}
	return (int)node;
}

void disk_add_file(struct disk *d, const char *path, mode_t mode, const char *text)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");
	unsigned dir = 0;

	for (size_t i = 0; parts[i + 1]; i++) {
		struct disk_name *n = find_name(d, dir, parts[i]);

		if (!n) {
			name_set(d, dir, disk_keep(parts[i], strlen(parts[i])),
				 disk_node(d, S_IFDIR | 0755, "", 0));
			n = find_name(d, dir, parts[i]);
		}
		dir = n->node;
	}
	path = parts[strv_len(parts) - 1];
	name_set(d, dir, disk_keep(path, strlen(path)),
		 disk_node(d, S_IFREG | mode, disk_keep(text, strlen(text)),
			   strlen(text)));
}

/* --- operations and their fates ---------------------------------------------------- */

unsigned op_fates(const struct op *o)
{
	return o->kind == OP_WRITE ? 4 : 2;
}

static void write_half(struct disk_node *n, const struct op *o)
{
	size_t len = o->kept + (o->len - o->kept) / 2;

	n->data = disk_keep(o->data, len);
	n->len = len;
}

static void write_zeros(struct disk_node *n, const struct op *o)
{
	_cleanup_free_ char *zeros = xcalloc(o->len + 1, 1);

	memcpy(zeros, o->data, o->kept);
	n->data = disk_keep(zeros, o->len);
	n->len = o->len;
}

void disk_do(struct disk *d, const struct op *o, unsigned fate)
{
	struct disk_node *n = &d->node[o->node];

	if (fate == 1)
		return;
	switch (o->kind) {
	case OP_CREATE:
		name_set(d, o->dir, o->name, o->node);
		break;
	case OP_WRITE:
		if (fate == 2)
			write_half(n, o);
		else if (fate == 3)
			write_zeros(n, o);
		else
			*n = (struct disk_node){n->mode, o->data, o->len};
		break;
	case OP_CHMOD:
		n->mode = o->mode;
		break;
	case OP_RENAME:
		name_drop(d, o->dir, o->name);
		name_set(d, o->dir2, o->name2, o->node);
		break;
	case OP_UNLINK:
		name_drop(d, o->dir, o->name);
		break;
	case OP_FSYNC:
		break;
	}
}

static bool syncs(const struct op *sync, const struct op *o)
{
	if (sync->kind != OP_FSYNC)
		return false;
	switch (o->kind) {
	case OP_WRITE:
	case OP_CHMOD:
		return sync->node == o->node;
	case OP_CREATE:
	case OP_UNLINK:
		return sync->node == o->dir;
	case OP_RENAME: /* all renames of the programs under test stay in one directory */
		assert_int_equal(o->dir, o->dir2);
		return sync->node == o->dir;
	case OP_FSYNC:
		return false;
	}
	return false;
}

unsigned volatile_ops(const struct record *r, unsigned n, unsigned out[static DISK_OPS])
{
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++) {
		bool lasting = r->op[i].kind == OP_FSYNC;

		for (unsigned k = i + 1; k < n && !lasting; k++)
			lasting = syncs(&r->op[k], &r->op[i]);
		if (!lasting)
			out[found++] = i;
	}
	return found;
}

void disk_after(struct disk *ret, const struct disk *before, const struct record *r,
		unsigned n, const uint8_t fate[static DISK_OPS])
{
	*ret = *before;
	for (unsigned i = 0; i < n; i++) {
		const struct op *o = &r->op[i];

		if (o->kind == OP_CREATE) {
			assert_true(o->node == ret->n_nodes);
			disk_node(ret, o->mode, r->live.node[o->node].data,
				  S_ISLNK(o->mode) ? r->live.node[o->node].len : 0);
		}
		disk_do(ret, o, fate[i]);
	}
}

/* --- writing to a file system, text form ------------------------------------------ */

static void write_node(const struct disk *d, unsigned node, int dirfd, const char *name)
{
	const struct disk_node *n = &d->node[node];
	_cleanup_close_ int fd = -1;

	if (S_ISLNK(n->mode)) {
		assert_int_equal(symlinkat(n->data, dirfd, name), 0);
		return;
	}
	if (S_ISDIR(n->mode)) {
		if (node != 0)
			assert_int_equal(mkdirat(dirfd, name, 0700), 0);
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		for (unsigned i = 0; i < d->n_names; i++)
			if (d->name[i].dir == node)
				write_node(d, d->name[i].node, fd, d->name[i].name);
	} else {
		fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write_all(fd, n->data, n->len), 0);
	}
	assert_int_equal(fchmod(fd, n->mode & 07777), 0);
}

void disk_write(const struct disk *d, int rootfd)
{
	write_node(d, 0, rootfd, ".");
}

struct line {
	char *path;
	struct disk_node node;
};

struct lines {
	struct line v[DISK_NAMES];
	size_t n;
};

static void add_line(struct lines *l, const char *dir, const char *name,
		     struct disk_node node)
{
	assert_true(l->n < DISK_NAMES);
	l->v[l->n++] = (struct line){xasprintf("%s/%s", dir, name), node};
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path);
}

static void append_content(struct buf *b, const struct disk_node *n, const char *except)
{
	for (size_t at = 0; at < n->len;) {
		const char *end = memchr(n->data + at, '\n', n->len - at);
		size_t len = end ? (size_t)(end - n->data) - at + 1 : n->len - at;

		if (!except || len < strlen(except) ||
		    memcmp(n->data + at, except, strlen(except)) != 0)
			buf_add(b, n->data + at, len);
		at += len;
	}
}

static char *lines_text(struct lines *l, const char *except)
{
	_cleanup_buf_ struct buf b = {0};

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
	for (size_t i = 0; i < l->n; i++) {
		buf_printf(&b, "%s %o\n", l->v[i].path, l->v[i].node.mode);
		append_content(&b, &l->v[i].node, except);
	}
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	l->n = 0;
	return b.p ? buf_take(&b) : xstrdup("");
}

static void disk_lines(const struct disk *d, unsigned dir, const char *path,
		       struct lines *l)
{
	for (unsigned i = 0; i < d->n_names; i++) {
		_cleanup_free_ char *inside = NULL;

		if (d->name[i].dir != dir)
			continue;
		add_line(l, path, d->name[i].name, d->node[d->name[i].node]);
		inside = xstrdup(l->v[l->n - 1].path);
		disk_lines(d, d->name[i].node, inside, l);
	}
}

char *disk_text(const struct disk *d, const char *except)
{
	struct lines l = {.n = 0};

	disk_lines(d, 0, "", &l);
	return lines_text(&l, except);
}

static void tree_lines(int dirfd, const char *path, struct lines *l)
{
	_cleanup_closedir_ DIR *d = fdopendir(dirfd);
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		const char *name = entry->d_name;
		_cleanup_free_ char *inside = NULL, *data = NULL;
		struct disk_node n = {0};
		struct stat st;

		if (streq(name, ".") || streq(name, "..") ||
		    (!*path && (streq(name, "run") || streq(name, "sys"))))
			continue;
		assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
		n.mode = st.st_mode;
		if (S_ISREG(st.st_mode)) {
			assert_int_equal(
				file_read_at(dirfd, name, 1 << 20, &data, &n.len), 0);
			n.data = disk_keep(data, n.len);
		}
		add_line(l, path, name, n);
		inside = xstrdup(l->v[l->n - 1].path);
		if (S_ISDIR(st.st_mode))
			tree_lines(
				openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				inside, l);
	}
}

char *tree_text(int rootfd, const char *except)
{
	struct lines l = {.n = 0};

	tree_lines(openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", &l);
	return lines_text(&l, except);
}
