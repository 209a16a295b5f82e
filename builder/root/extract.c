/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A level is an archive; an archive inside it is the next level, read from the data of
 * its member. Each level is read to its end. Otherwise a second member of the
 * same name (tar would keep that one), or a hostile member after the last extracted one,
 * would not be noticed.
 */
#include "builder/root/extract.h"

#include "lib/intern.h"
#include "lib/str.h"

struct level {
	const struct extract *all;
	const struct recipe_extract *v;
	size_t n;
	struct intern wanted; /* normal paths of `v`, ... */
	size_t *at;           /* ... and the index of each, by its number */
	bool *found;
	struct archive_in *in;
	const char *name;
};

static int level_run(struct level *l, struct err *e);

/* Notes the wanted paths; of two for one member, the first. */
static void note_wanted(struct level *l)
{
	l->at = xcalloc(l->n, sizeof(*l->at));
	l->found = xcalloc(l->n, sizeof(*l->found));
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *want = archive_path_normal(l->v[i].path);
		bool is_new = false;
		size_t number = want ? intern(&l->wanted, want, &is_new) : 0;

		if (is_new)
			l->at[number] = i;
	}
}

static void level_done(struct level *l)
{
	intern_done(&l->wanted);
	free(l->at);
	free(l->found);
}
#define _cleanup_level_ _cleanup_(level_done)

static int refuse(const struct level *l, const struct entry *entry, struct err *e,
		  const char *why)
{
	return err_set(e, ERR_FAILED, "%s: member '%s' %s: archive refused", l->name,
		       entry->path, why);
}

/* Returns whether a link's target, relative to a folder `depth` levels deep, is outside
 * the archive's top. */
static bool points_out(const char *target, size_t depth)
{
	_cleanup_strv_ char **parts = strv_split(target, "/");

	if (target[0] == '/')
		return true;
	for (size_t i = 0; parts && parts[i]; i++) {
		if (streq(parts[i], ".."))
			if (depth-- == 0)
				return true;
		if (!streq(parts[i], "..") && !streq(parts[i], "."))
			depth++;
	}
	return false;
}

/* Returns how many folders the member is in. */
static size_t depth_of(const char *normal)
{
	size_t depth = 0;

	for (; *normal; normal++)
		depth += *normal == '/';
	return depth;
}

static int check_member(const struct level *l, const struct entry *entry,
			const char *normal, struct err *e)
{
	if (entry->path[0] == '/')
		return refuse(l, entry, e, "has an absolute name");
	if (!normal)
		return refuse(l, entry, e, "has '..' in its name");
	switch (entry->type) {
	case ENTRY_SYMLINK:
		if (points_out(entry->target, depth_of(normal)))
			return refuse(l, entry, e,
				      "is a symlink to something outside it");
		break;
	case ENTRY_HARDLINK:
		if (points_out(entry->target, 0))
			return refuse(l, entry, e,
				      "is a hard link to something outside it");
		break;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
	case ENTRY_FIFO:
	case ENTRY_OTHER:
		return refuse(l, entry, e, "is a device or another special file");
	case ENTRY_FILE:
	case ENTRY_DIR:
		break;
	}
	return 0;
}

static int extract_nested(struct level *l, const struct recipe_extract *x, struct err *e)
{
	_cleanup_free_ char *name = xasprintf("%s: %s", l->name, x->path);
	_cleanup_archive_in_ struct archive_in *in = NULL;
	_cleanup_level_ struct level inner = {
		.v = x->v,
		.n = x->n,
		.name = name,
		.all = l->all,
	};

	if (archive_in_open(&in, &(struct archive_source){.name = name, .outer = l->in},
			    e) < 0)
		return -1;
	inner.in = in;
	return level_run(&inner, e);
}

static int extract_member(struct level *l, size_t i, const struct entry *entry,
			  struct err *e)
{
	const struct recipe_extract *x = &l->v[i];

	if (l->found[i])
		return refuse(l, entry, e, "is there twice");
	l->found[i] = true;
	if (entry->type != ENTRY_FILE)
		return err_set(e, ERR_FAILED,
			       "%s: member '%s' is a %s%s%s, not a file (%s)", l->name,
			       entry->path, entry_type_name(entry->type),
			       entry->target ? " to " : "",
			       entry->target ? entry->target : "", x->where);
	return x->to ? l->all->sink(l->all->data, x, entry, l->in, e)
		     : extract_nested(l, x, e);
}

static int level_member(struct level *l, const struct entry *entry, struct err *e)
{
	_cleanup_free_ char *normal = archive_path_normal(entry->path);
	size_t number;

	if (check_member(l, entry, normal, e) < 0)
		return -1;
	if (intern_find(&l->wanted, normal, &number))
		return extract_member(l, l->at[number], entry, e);
	return 0;
}

static int level_run(struct level *l, struct err *e)
{
	const struct entry *entry;
	int r;

	note_wanted(l);
	while ((r = archive_in_next(l->in, &entry, e)) > 0)
		if (level_member(l, entry, e) < 0)
			return -1;
	if (r < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		if (!l->found[i])
			return err_set(e, ERR_FAILED, "%s: has no member '%s' (%s)",
				       l->name, l->v[i].path, l->v[i].where);
	return 0;
}

int extract(const struct extract *x, int fd, struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	_cleanup_level_ struct level l = {
		.all = x, .v = x->v, .n = x->n, .name = x->name};

	if (archive_in_open(&in,
			    &(struct archive_source){
				    .name = x->name, .fd = fd, .limit = x->limit},
			    e) < 0)
		return -1;
	l.in = in;
	return level_run(&l, e);
}
