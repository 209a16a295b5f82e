/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each step marks entries of the index for one reason. In the order of paths a folder
 * comes before its contents, so an entry only needs to look at its parent for trees to be
 * dropped.
 */
#include "builder/root/merge-plan.h"

#include <fnmatch.h>
#include <sys/stat.h>

#define SHADOW "etc/shadow"

bool merge_plan_reads(const char *path)
{
	return streq(path, SHADOW);
}

/* Matches the glob's literal beginning first: fnmatch() is slow, and most paths differ
 * there. */
static bool glob_matches(const char *glob, const char *path)
{
	size_t literal = strcspn(glob, "*?[\\");

	if (strncmp(glob, path, literal) != 0)
		return false;
	if (!glob[literal])
		return !path[literal];
	return fnmatch(glob + literal, path + literal, 0) == 0;
}

bool merge_plan_excludes(char *const *exclude, const char *path)
{
	_cleanup_free_ char *full = xasprintf("/%s", path);

	for (size_t i = 0; exclude && exclude[i]; i++)
		if (glob_matches(exclude[i], full))
			return true;
	return false;
}

bool merge_plan_matches(const char *glob, const struct index *base)
{
	for (size_t i = 0; i < base->n; i++) {
		_cleanup_free_ char *full = xasprintf("/%s", base->v[i].path);

		if (glob_matches(glob, full))
			return true;
	}
	return false;
}

static struct index_entry *parent_of(const struct index *base, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent =
		slash ? xstrndup(path, (size_t)(slash - path)) : NULL;

	return parent ? index_find(base, parent) : NULL;
}

static void drop_excluded(struct index *base, char *const *exclude)
{
	for (size_t i = 0; i < base->n; i++) {
		struct index_entry *entry = base->sorted[i];
		const struct index_entry *parent = parent_of(base, entry->path);

		if (!*entry->path)
			continue; /* the top */
		if ((parent && parent->dropped) ||
		    merge_plan_excludes(exclude, entry->path))
			entry->dropped = true;
	}
}

static void drop_replaced(struct index *base, const struct layer *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct index_entry *entry = index_find(base, l->v[i].path);

		if (entry && !l->v[i].implied)
			entry->dropped = true;
	}
}

/* Keeps the folders that items of the layer are in: the layer does not add them. */
static void keep_parents(struct index *base, const struct layer *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct index_entry *entry = parent_of(base, l->v[i].path);

		for (; entry; entry = parent_of(base, entry->path))
			if (entry->type == ENTRY_DIR && !layer_find(l, entry->path))
				entry->dropped = false;
	}
}

/* Promotes the first kept link of each dropped file to a file. */
static void keep_hard_links(struct index *base, struct diag *d)
{
	for (size_t i = 0; i < base->n; i++) {
		struct index_entry *entry = &base->v[i], *first;

		if (entry->type != ENTRY_HARDLINK)
			continue;
		first = entry->link;
		if (!first) {
			diag_add(d,
				 "base: /%s is a hard link to /%s, which is not a file "
				 "before it in root.tar",
				 entry->path, entry->target ? entry->target : "");
			continue;
		}
		if (!entry->dropped && first->dropped && !first->promoted_to)
			first->promoted_to = entry;
	}
}

/* Checks that what is kept is in folders. */
static void check_parents(const struct index *base, struct diag *d)
{
	for (size_t i = 0; i < base->n; i++) {
		const struct index_entry *entry = &base->v[i];
		const struct index_entry *parent =
			entry->dropped ? NULL : parent_of(base, entry->path);

		if (parent && parent->type != ENTRY_DIR)
			diag_add(d, "base: /%s is in /%s, which is a %s", entry->path,
				 parent->path, entry_type_name(parent->type));
	}
}

/* --- what must not be in an image -------------------------------------------------- */

static void check_modes(const struct index *base, struct diag *d)
{
	for (size_t i = 0; i < base->n; i++) {
		const struct index_entry *entry = &base->v[i];

		if (entry->dropped || !(entry->mode & S_IWOTH) ||
		    (entry->type != ENTRY_FILE && entry->type != ENTRY_DIR) ||
		    (entry->type == ENTRY_DIR && (entry->mode & S_ISVTX)))
			continue;
		diag_add(d,
			 "base: /%s is a %s that everybody may write to (mode %04o): "
			 "exclude it, or replace it by an entry of 'files'",
			 entry->path, entry_type_name(entry->type), entry->mode);
	}
}

/* Checks that no password opens root's account: "root:*:..." or "root:!...". */
static void check_root_locked(const struct index *base, const struct layer *l,
			      struct diag *d)
{
	const struct layer_item *ours = layer_find(l, SHADOW);
	const struct index_entry *entry = index_find(base, SHADOW);
	const char *text = ours ? ours->text : entry ? entry->text : NULL;
	const char *line = text;

	if (ours && !ours->text) {
		diag_add(d,
			 "%s: /etc/shadow must be given as 'content', so that it can "
			 "be checked",
			 ours->where);
		return;
	}
	while (line && !str_after(line, "root:")) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		diag_add(d,
			 "%s: /etc/shadow has no line for root: anybody could log in as "
			 "root",
			 ours ? ours->where : "base");
	else if (line[5] != '*' && line[5] != '!')
		diag_add(
			d,
			"%s: /etc/shadow: root must be locked (root:*:); log in with ssh "
			"keys",
			ours ? ours->where : "base");
}

void merge_plan(struct index *base, const struct layer *l, char *const *exclude,
		struct diag *d)
{
	drop_excluded(base, exclude);
	drop_replaced(base, l);
	keep_parents(base, l);
	keep_hard_links(base, d);
	check_parents(base, d);
	check_modes(base, d);
	check_root_locked(base, l, d);
}
