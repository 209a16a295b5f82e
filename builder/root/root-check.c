/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries are recorded while they are written, which takes 72 bytes of memory for
 * each, and are sorted once. The image is read in its own order, and each of its entries
 * is looked up. An entry that was not looked up is missing.
 */
#include "builder/root/root-check.h"

#include "builder/common/squashfs.h"
#include "lib/str.h"

#include <time.h>

/* mksquashfs makes the top itself (squash.c). */
#define TOP_MODE 0755

struct comparison {
	struct root_check *c;
	const char *path; /* of the image */
	uint64_t epoch;
	size_t n; /* differences */
	char *first;
};

void root_check_add(struct root_check *c, const struct entry *entry)
{
	struct root_check_entry *x;

	if (streq(entry->path, "."))
		return;
	c->v = xgrow(c->v, c->n, sizeof(*c->v));
	x = &c->v[c->n++];
	*x = (struct root_check_entry){
		.path = entry->path,
		.target = entry->target,
		.uid = (uint32_t)entry->uid,
		.gid = (uint32_t)entry->gid,
		.mtime = (uint32_t)entry->mtime,
		.links = 1,
		.mode = (uint16_t)entry->mode,
		.type = (uint8_t)entry->type,
		.size = entry->size,
	};
	if (entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK) {
		x->device[0] = entry->major;
		x->device[1] = entry->minor;
	}
	if (entry->caps) {
		x->caps = xmalloc(entry->n_caps);
		memcpy(x->caps, entry->caps, entry->n_caps);
		x->n_caps = (uint32_t)entry->n_caps;
	}
}

void root_check_done(struct root_check *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].caps);
	free(c->v);
	*c = (struct root_check){0};
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct root_check_entry *)a)->path,
		      ((const struct root_check_entry *)b)->path);
}

static struct root_check_entry *find(const struct root_check *c, const char *path)
{
	struct root_check_entry key = {.path = path};

	return c->n ? bsearch(&key, c->v, c->n, sizeof(*c->v), by_path) : NULL;
}

/* --- differences ------------------------------------------------------------------- */

/* Counts a difference, and keeps the first one's words. Takes over `what`. */
static void differ(struct comparison *x, const char *path, char *what)
{
	if (x->n++ == 0)
		x->first = xasprintf("/%s %s", path, what);
	free(what);
}

static void compare_links(struct comparison *x, const struct root_check_entry *want,
			  const struct squashfs_node *node)
{
	const struct entry *got = &node->entry;

	if (want->type == ENTRY_SYMLINK && !streq(want->target, got->target))
		differ(x, got->path,
		       xasprintf("links to '%s', planned is '%s'", got->target,
				 want->target));
	else if (want->type == ENTRY_FILE && want->links != node->links)
		differ(x, got->path,
		       xasprintf("has %u names, planned are %u", node->links,
				 want->links));
}

static void compare_xattrs(struct comparison *x, const struct root_check_entry *want,
			   const struct squashfs_node *node)
{
	const struct entry *got = &node->entry;

	if (node->xattr)
		differ(x, got->path,
		       xasprintf("has the extended attribute %s, planned is none of it",
				 node->xattr));
	else if (!want->caps != !got->caps)
		differ(x, got->path,
		       xasprintf("has %s security.capability, planned is one %s it",
				 got->caps ? "a" : "no",
				 want->caps ? "with" : "without"));
	else if (want->caps && (want->n_caps != got->n_caps ||
				memcmp(want->caps, got->caps, got->n_caps) != 0))
		differ(x, got->path,
		       xasprintf("has another security.capability than planned"));
}

/* Compares the attributes that all types have, and those of one type. */
static void compare(struct comparison *x, const struct root_check_entry *want,
		    const struct squashfs_node *node)
{
	const struct entry *got = &node->entry;

	if (want->type != got->type)
		differ(x, got->path,
		       xasprintf("is a %s, planned is a %s", entry_type_name(got->type),
				 entry_type_name((enum entry_type)want->type)));
	else if (want->mode != got->mode && want->type != ENTRY_SYMLINK)
		differ(x, got->path,
		       xasprintf("has mode %04o, planned is %04o", got->mode,
				 want->mode));
	else if (want->uid != got->uid || want->gid != got->gid)
		differ(x, got->path,
		       xasprintf("belongs to %lld:%lld, planned is %u:%u",
				 (long long)got->uid, (long long)got->gid, want->uid,
				 want->gid));
	else if (want->mtime != got->mtime)
		differ(x, got->path,
		       xasprintf("has the time %lld, planned is %u",
				 (long long)got->mtime, want->mtime));
	else if (want->type == ENTRY_FILE && want->size != got->size)
		differ(x, got->path,
		       xasprintf("has %llu bytes, planned are %llu",
				 (unsigned long long)got->size,
				 (unsigned long long)want->size));
	else if ((want->type == ENTRY_CHAR || want->type == ENTRY_BLOCK) &&
		 (want->device[0] != got->major || want->device[1] != got->minor))
		differ(x, got->path,
		       xasprintf("is device %u:%u, planned is %u:%u", got->major,
				 got->minor, want->device[0], want->device[1]));
	else {
		compare_links(x, want, node);
		compare_xattrs(x, want, node);
	}
}

/* --- the walk ---------------------------------------------------------------------- */

static int visit(void *data, const struct squashfs_node *node, _unused_ struct err *e)
{
	struct comparison *x = data;
	struct root_check_entry top = {
		.type = ENTRY_DIR, .mode = TOP_MODE, .mtime = (uint32_t)x->epoch};
	struct root_check_entry *want = find(x->c, node->entry.path);
	const struct root_check_entry *file = want;

	if (!*node->entry.path) {
		if (time(NULL) < (time_t)x->epoch) /* the top has the present time */
			top.mtime = (uint32_t)node->entry.mtime;
		compare(x, &top, node);
		return 0;
	}
	if (!want) {
		differ(x, node->entry.path,
		       xasprintf("is a %s, which is not planned",
				 entry_type_name(node->entry.type)));
		return 0;
	}
	want->inode = node->inode;
	if (want->type == ENTRY_HARDLINK)
		file = find(x->c, want->target);
	if (file)
		compare(x, file, node);
	return 0;
}

/* Counts the names of each file, before the walk. */
static void count_links(struct comparison *x)
{
	for (size_t i = 0; i < x->c->n; i++) {
		const struct root_check_entry *link = &x->c->v[i];
		struct root_check_entry *file;

		if (link->type != ENTRY_HARDLINK)
			continue;
		file = find(x->c, link->target);
		if (file)
			file->links++;
		else
			differ(x, link->path,
			       xasprintf("is a hard link to /%s, which is not planned",
					 link->target));
	}
}

/* Checks, after the walk, that every entry was found, and each hard link at its file. */
static void check_found(struct comparison *x)
{
	for (size_t i = 0; i < x->c->n; i++) {
		const struct root_check_entry *want = &x->c->v[i], *file;

		if (want->inode == 0) {
			differ(x, want->path,
			       xasprintf("is missing, planned is a %s",
					 entry_type_name((enum entry_type)want->type)));
			continue;
		}
		if (want->type != ENTRY_HARDLINK)
			continue;
		file = find(x->c, want->target);
		if (file && file->inode != want->inode)
			differ(x, want->path,
			       xasprintf("is a file of its own, planned is a hard link "
					 "to /%s",
					 want->target));
	}
}

int root_check_image(struct root_check *c, const char *path, uint64_t epoch,
		     struct err *e)
{
	struct comparison x = {.c = c, .path = path, .epoch = epoch};
	char more[64] = "";
	int r;

	if (c->n > 0)
		qsort(c->v, c->n, sizeof(*c->v), by_path);
	count_links(&x);
	r = squashfs_walk(path, visit, &x, e);
	if (r == 0)
		check_found(&x);
	if (x.n > 1)
		snprintf(more, sizeof(more), "; and %zu more difference%s", x.n - 1,
			 x.n > 2 ? "s" : "");
	if (r == 0 && x.n > 0)
		r = err_set(e, ERR_FAILED, "%s: is not as it was planned: %s%s",
			    strrchr(path, '/') + 1, x.first, more);
	free(x.first);
	return r;
}
