/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a base's root.tar: a pass over its headers, in no time because the data is
 * seeked over. The planning of the merge looks here, so that nothing has to be decided
 * while the tar streams by.
 */
#pragma once

#include "builder/common/archive.h"

struct index_entry {
	char *path; /* "usr/bin/x"; the top is "" */
	enum entry_type type;
	unsigned mode;
	uint64_t size;
	char *target;      /* symlink: its text; hard link: the other entry's path */
	char *text;        /* `size` bytes of files that were asked for, else NULL */
	const char *owner; /* package, or NULL; see index_own */

	/* For the merge (merge-plan.c). */
	bool dropped;
	const struct index_entry *stand_in; /* a dropped entry that others are hard links
			    * to: the first of them, which gets its data */
};

struct index {
	struct index_entry *v; /* in the tar's order */
	size_t n;
	struct index_entry **sorted; /* by path */
	char *owners;                /* text that owner points into */
};

/* Whether a file's text is wanted. */
typedef bool index_want(const char *path, void *data);

/* Reads the tar on `fd` from its start, which stays where it is afterwards at its end. */
int index_read(struct index *ret, int fd, index_want *want, void *data,
	       struct err *e) _must_check_;
void index_done(struct index *x);
#define _cleanup_index_ _cleanup_(index_done)

struct index_entry *index_find(const struct index *x, const char *path);

/*
 * Where a path of the image really is: symlinks of the base followed in every component
 * but the last (in the last too with `follow_last`), without leading '/'. NULL when they
 * go round in circles. Owned.
 */
char *index_resolve(const struct index *x, const char *path, bool follow_last);

/* Notes each entry's package from lines of "path<TAB>package". */
void index_own(struct index *x, const char *owners);
