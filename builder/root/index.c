/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the entries in the tar's order, and pointers to them sorted by path; of several
 * with one path in the tar's order, so that the last is found, as tar(1) would leave it.
 */
#include "builder/root/index.h"

#include "lib/str.h"

#include <limits.h>

#define TEXT_MAX  (16U << 20)
#define LINKS_MAX 40 /* the kernel's limit too */

static int by_path(const void *a, const void *b)
{
	const struct index_entry *x = *(struct index_entry *const *)a;
	const struct index_entry *y = *(struct index_entry *const *)b;
	int r = strcmp(x->path, y->path);

	return r ? r : (x > y) - (x < y);
}

static int read_text(struct archive_in *in, struct index_entry *x, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int r = archive_in_text(in, TEXT_MAX, &b, e);

	if (r == 0)
		return err_set(e, ERR_FAILED, "base: %s: has more than %u MiB: refused",
			       x->path, TEXT_MAX >> 20);
	x->text = buf_take(&b);
	return r < 0 ? -1 : 0;
}

static int add(struct index *x, const struct entry *entry, struct archive_in *in,
	       index_want *want, void *data, struct err *e)
{
	_cleanup_free_ char *path = archive_path_normal(entry->path);
	struct index_entry *new;

	if (!path)
		return err_set(e, ERR_FAILED, "base: '%s' has '..' in its name",
			       entry->path);
	x->v = xgrow(x->v, x->n, sizeof(*x->v));
	new = &x->v[x->n++];
	*new = (struct index_entry){
		.path = TAKE_PTR(path),
		.type = entry->type,
		.mode = entry->mode,
		.size = entry->size,
	};
	if (entry->type == ENTRY_HARDLINK)
		new->target = archive_path_normal(entry->target);
	else
		new->target = xstrdup(entry->target);
	if (entry->type == ENTRY_FILE && want && want(new->path, data))
		return read_text(in, new, e);
	return 0;
}

void index_sort(struct index *x)
{
	free(x->sorted);
	x->sorted = xcalloc(x->n, sizeof(struct index_entry *));
	for (size_t i = 0; i < x->n; i++)
		x->sorted[i] = &x->v[i];
	qsort(x->sorted, x->n, sizeof(struct index_entry *), by_path);
}

/* Returns the last entry with this path that is before `end`, or NULL. */
static struct index_entry *find_before(const struct index *x, const char *path,
				       const struct index_entry *end)
{
	size_t from = 0, to = x->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int r = strcmp(path, x->sorted[mid]->path);

		if (r < 0 || (r == 0 && x->sorted[mid] >= end))
			to = mid;
		else
			from = mid + 1;
	}
	return from > 0 && streq(x->sorted[from - 1]->path, path) ? x->sorted[from - 1]
								  : NULL;
}

/* Finds the file that the hard link names, which may be through another hard link. One to
 * a symlink becomes a symlink: in an image nobody can tell the difference. */
static void resolve_link(struct index *x, struct index_entry *entry)
{
	struct index_entry *to =
		entry->target ? find_before(x, entry->target, entry) : NULL;

	if (to && to->type == ENTRY_HARDLINK)
		to = to->link;
	if (to && to->type == ENTRY_SYMLINK) {
		free(entry->target);
		entry->target = xstrdup(to->target);
		entry->type = ENTRY_SYMLINK;
		entry->mode = to->mode;
	} else if (to && to->type == ENTRY_FILE) {
		entry->link = to;
	}
}

static void resolve_links(struct index *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].type == ENTRY_HARDLINK)
			resolve_link(x, &x->v[i]);
	for (size_t i = 0; i + 1 < x->n; i++)
		if (streq(x->sorted[i]->path, x->sorted[i + 1]->path))
			x->sorted[i]->dropped = true;
}

void index_finish(struct index *x)
{
	index_sort(x);
	resolve_links(x);
}

int index_read(struct index *ret, int fd, struct digest *tap, index_want *want,
	       void *data, struct err *e)
{
	_cleanup_index_ struct index x = {0};
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "base");
	if (archive_in_open(
		    &in, &(struct archive_source){.name = "base", .fd = fd, .tap = tap},
		    e) < 0)
		return -1;
	while ((r = archive_in_next(in, &entry, e)) > 0)
		if (add(&x, entry, in, want, data, e) < 0)
			return -1;
	if (r < 0 || (tap && archive_in_drain(in, e) < 0))
		return -1;
	index_finish(&x);
	*ret = x;
	x = (struct index){0};
	return 0;
}

void index_add_link(struct index *x, const char *path, const char *target)
{
	x->v = xgrow(x->v, x->n, sizeof(*x->v));
	x->v[x->n++] = (struct index_entry){
		.path = xstrdup(path),
		.type = ENTRY_SYMLINK,
		.mode = 0777,
		.target = xstrdup(target),
	};
}

void index_done(struct index *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].path);
		free(x->v[i].target);
		free(x->v[i].text);
	}
	free(x->v);
	free(x->sorted);
	free(x->owners);
	*x = (struct index){0};
}

struct index_entry *index_find(const struct index *x, const char *path)
{
	return find_before(x, path, x->v + x->n);
}

static void truncate_to(struct buf *b, size_t len)
{
	b->len = len;
	if (b->p)
		b->p[len] = '\0';
}

/* Appends one part of a path to "usr/bin"; ".." removes the last one, and is ignored at
 * the top. */
static void step(struct buf *at, const char *part)
{
	const char *slash;

	if (streq(part, "."))
		return;
	if (!streq(part, "..")) {
		buf_printf(at, "%s%s", at->len > 0 ? "/" : "", part);
		return;
	}
	slash = at->len > 0 ? strrchr(at->p, '/') : NULL;
	truncate_to(at, slash ? (size_t)(slash - at->p) : 0);
}

/* Follows `path` from *at on, which is left at its end. Returns false for a loop, and for
 * a path that the kernel would refuse as too long. */
static bool resolve(const struct index *x, struct buf *at, const char *path,
		    bool follow_last, unsigned *links)
{
	_cleanup_strv_ char **parts = NULL;

	if (strlen(path) >= PATH_MAX)
		return false;
	if (path[0] == '/')
		truncate_to(at, 0);
	parts = strv_split(path, "/");
	for (size_t i = 0; parts && parts[i]; i++) {
		const struct index_entry *entry;
		size_t before = at->len;

		step(at, parts[i]);
		if (at->len >= PATH_MAX)
			return false;
		entry = at->len > 0 ? index_find(x, at->p) : NULL;
		if (!entry || entry->type != ENTRY_SYMLINK || at->len <= before ||
		    (!parts[i + 1] && !follow_last))
			continue;
		truncate_to(at, before);
		if (++*links > LINKS_MAX || !resolve(x, at, entry->target, true, links))
			return false;
	}
	return true;
}

char *index_resolve(const struct index *x, const char *path, bool follow_last)
{
	_cleanup_buf_ struct buf at = {0};
	unsigned links = 0;

	return resolve(x, &at, path, follow_last, &links) ? buf_take(&at) : NULL;
}

void index_set_owners(struct index *x, const char *owners)
{
	free(x->owners);
	x->owners = xstrdup(owners);
	for (char *line = x->owners, *next; line && *line; line = next) {
		char *tab = strchr(line, '\t');
		_cleanup_free_ char *path = NULL;
		struct index_entry *entry;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!tab)
			continue;
		*tab = '\0';
		path = index_resolve(x, line, false);
		entry = path ? index_find(x, path) : NULL;
		if (entry)
			entry->owner = tab + 1;
	}
}
