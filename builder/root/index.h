/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists the entries of a base's root.tar. The tar is read once, which without a tap is
 * fast because files' data is skipped by seeking. With this list the merge is planned
 * before the tar is copied (merge-plan.h).
 */
#pragma once

#include "builder/common/archive.h"

struct index_entry {
	char *path; /* "usr/bin/x"; the top is "" */
	enum entry_type type;
	unsigned mode;
	uint64_t size;
	char *target; /* symlink: its text; hard link: the other entry's path */
	struct index_entry *link; /* of a hard link: the file before it, or NULL */
	char *text;        /* the data, of files that index_want selects; else NULL */
	const char *owner; /* package, or NULL; see index_set_owners */

	/* Set by merge_plan(); of several entries with one path, all but the last are
	 * dropped from the beginning. */
	bool dropped;
	const struct index_entry *promoted_to; /* of a dropped file: the hard link to it
						* that gets its data, or NULL */
};

struct index {
	struct index_entry *v; /* in the tar's order */
	size_t n;
	struct index_entry **sorted; /* by path */
	char *owners;                /* the text that `owner` points into */
};

/* Returns whether the index keeps the text of the base's file `path`. */
typedef bool index_want(const char *path, void *data);

/* Reads the tar on `fd` from its beginning to its end. `tap`, if not NULL, receives every
 * byte of the file. */
int index_read(struct index *ret, int fd, struct digest *tap, index_want *want,
	       void *data, struct err *e) _must_check_;
/* Sorts and links the entries, once all are in x->v. */
void index_finish(struct index *x);
/* Adds a symlink with a path that the index does not have. Not for an index that a merge
 * is planned with: the tar does not have it. Nothing can be looked up until index_sort()
 * is called after the last one. */
void index_add_link(struct index *x, const char *path, const char *target);
/* Sorts again, after entries were added. */
void index_sort(struct index *x);
void index_done(struct index *x);
#define _cleanup_index_ _cleanup_(index_done)

/* Returns the entry with exactly this path, the last one of several, or NULL. */
struct index_entry *index_find(const struct index *x, const char *path);

/*
 * Returns the path with the base's symlinks followed in every component but the last (in
 * the last too with `follow_last`), without leading '/'. NULL when there are too many
 * symlinks, as in a loop, and when the path has PATH_MAX bytes or more. Owned.
 */
char *index_resolve(const struct index *x, const char *path, bool follow_last);

/* Sets the entries' owners from lines "path<TAB>package". */
void index_set_owners(struct index *x, const char *owners);
