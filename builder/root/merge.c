/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of entries depends on the inputs alone: the base in its own order, then the
 * layer's items by path, then members of archives in the archives' order (artifacts in
 * the recipe's order). A folder of the base that the recipe gives another mode is
 * replaced in its place, because its contents follow it.
 *
 * The base's digest is computed while it is copied (m->tap). The caller compares it when
 * all has been written, and gives the output no final name before.
 */
#include "builder/root/merge.h"

#include "builder/root/inputs-check.h"
#include "lib/file.h"

#define CHUNK (256 * 1024)

struct merger {
	const struct merge *m;
	struct archive_out *out;
	struct merge_stats stats;
	struct layer_item **members; /* the items of archives, by input and member */
	size_t n_members;
	const struct input *input; /* the archive that is read */
};

/* --- the base ---------------------------------------------------------------------- */

static void count(struct merger *g, const char *path, enum entry_type type, uint64_t size)
{
	if (*path)
		g->stats.entries++;
	if (type == ENTRY_FILE)
		g->stats.bytes += size;
}

static int write_entry(struct merger *g, const struct entry *entry, struct err *e)
{
	if (g->m->check)
		root_check_add(g->m->check, entry);
	return archive_out_entry(g->out, entry, e);
}

static int write_item(struct merger *g, struct layer_item *item, struct err *e);

static int write_base_entry(struct merger *g, const struct entry *entry, const char *path,
			    const char *target, struct archive_in *in, struct err *e)
{
	struct entry copy = *entry;

	copy.path = *path ? path : ".";
	copy.target = target;
	entry_limit_time(&copy, g->m->epoch);
	count(g, path, entry->type, entry->size);
	if (write_entry(g, &copy, e) < 0)
		return -1;
	if (entry->type != ENTRY_FILE)
		return 0;
	return archive_out_copy(g->out, in, NULL, e);
}

static int merge_base_entry(struct merger *g, const struct index_entry *x,
			    const struct entry *entry, struct archive_in *in,
			    struct err *e)
{
	struct layer_item *item = layer_find(g->m->layer, x->path);
	const char *target = x->target;
	struct entry symlink = *entry;

	if (item && item->type == ENTRY_DIR && !item->written)
		return write_item(g, item, e);
	if (x->promoted_to)
		return write_base_entry(g, entry, x->promoted_to->path, NULL, in, e);
	if (x->dropped)
		return 0;
	if (x->type == ENTRY_HARDLINK) {
		if (x->link->promoted_to == x)
			return 0; /* written in the place of the dropped file */
		target =
			x->link->promoted_to ? x->link->promoted_to->path : x->link->path;
	} else if (x->type != entry->type) { /* a hard link to a symlink */
		symlink.type = x->type;
		symlink.mode = x->mode;
		entry = &symlink;
	}
	return write_base_entry(g, entry, x->path, target, in, e);
}

static int merge_base(struct merger *g, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct index *base = g->m->base;
	const struct entry *entry;
	size_t i = 0;
	int r;

	if (lseek(g->m->tar, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "base");
	if (archive_in_open(&in,
			    &(struct archive_source){
				    .name = "base", .fd = g->m->tar, .tap = g->m->tap},
			    e) < 0)
		return -1;
	while ((r = archive_in_next(in, &entry, e)) > 0) {
		if (i == base->n)
			return err_set(
				e, ERR_FAILED,
				"base: root.tar in the cache changed while it was read");
		if (merge_base_entry(g, &base->v[i++], entry, in, e) < 0)
			return -1;
	}
	return r < 0 ? -1 : archive_in_drain(in, e);
}

/* --- the layer --------------------------------------------------------------------- */

static int write_header(struct merger *g, const struct layer_item *item, uint64_t size,
			struct err *e)
{
	struct entry entry = {
		.type = item->type,
		.path = item->path,
		.target = item->target,
		.mode = item->mode,
		.size = item->type == ENTRY_FILE ? size : 0,
		.mtime = (int64_t)g->m->epoch,
	};

	count(g, item->path, item->type, size);
	return write_entry(g, &entry, e);
}

static int write_text(struct merger *g, struct layer_item *item, struct err *e)
{
	item->size = item->len;
	digest_text(DIGEST_SHA256, item->text, item->len, item->sha256);
	if (write_header(g, item, item->len, e) < 0)
		return -1;
	return archive_out_data(g->out, item->text, item->len, e);
}

/* Writes the item with exactly `size` bytes of `fd`, from its offset on. */
static int write_fd(struct merger *g, struct layer_item *item, int fd, uint64_t size,
		    const char *name, struct err *e)
{
	_cleanup_digest_ struct digest *digest = digest_new(DIGEST_SHA256);
	_cleanup_free_ char *buf = xmalloc(CHUNK);
	uint64_t left = size;

	if (write_header(g, item, size, e) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = read(fd, buf, left < CHUNK ? (size_t)left : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_errno(e, errno, "%s", name)
				     : err_set(e, ERR_FAILED,
					       "%s: became shorter while it was read",
					       name);
		digest_add(digest, buf, (size_t)n);
		if (archive_out_data(g->out, buf, (size_t)n, e) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	item->size = size;
	digest_hex(digest, item->sha256);
	return 0;
}

static int write_file(struct merger *g, struct layer_item *item, struct err *e)
{
	_cleanup_close_ int fd = file_open_regular_at(AT_FDCWD, item->file);
	struct stat st;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s: %s", item->where, item->file,
			       file_strerror(fd));
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s: %s", item->where, item->file);
	return write_fd(g, item, fd, (uint64_t)st.st_size, item->file, e);
}

static int write_blob(struct merger *g, struct layer_item *item, struct err *e)
{
	const struct blob *b = &item->input->blob;
	_cleanup_close_ int fd = input_open(item->input, e);

	if (fd < 0 || write_fd(g, item, fd, b->size, item->origin, e) < 0)
		return -1;
	/* An archive of a container has no digest here. */
	if (*b->sha256 && !streq(b->sha256, item->sha256))
		return err_set(e, ERR_FAILED,
			       "%s: its file in the cache changed while it was read: "
			       "run again",
			       item->origin);
	return 0;
}

static int write_item(struct merger *g, struct layer_item *item, struct err *e)
{
	item->written = true;
	if (item->type != ENTRY_FILE)
		return write_header(g, item, 0, e);
	switch (item->source) {
	case LAYER_TEXT:
		return write_text(g, item, e);
	case LAYER_FILE:
		return write_file(g, item, e);
	case LAYER_BLOB:
		return write_blob(g, item, e);
	case LAYER_MEMBER:
		item->written = false; /* written when its archive is read */
		break;
	}
	return 0;
}

static int merge_layer(struct merger *g, struct err *e)
{
	struct layer *l = g->m->layer;

	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].written && write_item(g, &l->v[i], e) < 0)
			return -1;
	return 0;
}

/* --- archives ---------------------------------------------------------------------- */

static int by_member(const void *a, const void *b)
{
	const struct layer_item *x = *(struct layer_item *const *)a;
	const struct layer_item *y = *(struct layer_item *const *)b;

	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	return (x->member > y->member) - (x->member < y->member);
}

/* Writes a member of an archive; an extract_sink. */
static int sink(void *data, const struct recipe_extract *x, const struct entry *entry,
		struct archive_in *in, struct err *e)
{
	_cleanup_digest_ struct digest *digest = digest_new(DIGEST_SHA256);
	struct merger *g = data;
	struct layer_item key = {.input = g->input, .member = x}, *item = &key, **at;

	at = g->n_members > 0 ? bsearch(&item, g->members, g->n_members,
					sizeof(*g->members), by_member)
			      : NULL;
	item = at ? *at : NULL;
	if (!item)
		return err_set(e, ERR_FAILED, "%s: the layer has no such member",
			       x->where);
	item->written = true;
	if (write_header(g, item, entry->size, e) < 0 ||
	    archive_out_copy(g->out, in, digest, e) < 0)
		return -1;
	item->size = entry->size;
	digest_hex(digest, item->sha256);
	return 0;
}

/* Collects the items of archives, sorted: artifacts in the recipe's order. */
static void collect_members(struct merger *g)
{
	struct layer *l = g->m->layer;

	g->members = xcalloc(l->n + 1, sizeof(*g->members));
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].source == LAYER_MEMBER && l->v[i].input)
			g->members[g->n_members++] = &l->v[i];
	if (g->n_members > 0)
		qsort(g->members, g->n_members, sizeof(*g->members), by_member);
}

/* Extracts each artifact that is an archive. */
static int merge_archives(struct merger *g, struct err *e)
{
	for (size_t i = 0; i < g->n_members; i++) {
		if (g->members[i]->input == g->input)
			continue;
		g->input = g->members[i]->input;
		if (input_extract(g->input, sink, g, e) < 0)
			return -1;
	}
	return 0;
}

int merge(const struct merge *m, struct archive_out *out, struct merge_stats *ret,
	  struct err *e)
{
	struct merger g = {.m = m, .out = out, .stats.entries = 1};
	int r;

	collect_members(&g);
	r = merge_base(&g, e) < 0 || merge_layer(&g, e) < 0 || merge_archives(&g, e) < 0
		    ? -1
		    : 0;
	free(g.members);
	if (r == 0)
		*ret = g.stats;
	return r;
}
