/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipe.lock(5): the sizes and digests that a recipe's inputs had when it was locked.
 * `rackstrap lock` writes this libconfig file; `rackstrap build` compares the inputs with
 * it. URLs are the recipe's, never a mirror's, and packages have paths in their archive,
 * so the file is the same wherever it is made.
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"
#include "lib/intern.h"

struct lock_entry {
	char *url;
	uint64_t size;
	char *sha256;
	char *when;  /* of the first fetch: "2026-11-25T03:40:00Z"; NULL: not known */
	char *from;  /* where redirects ended then, or "mirror"; NULL: not known */
	char *where; /* "recipe.lock:4" */
};

/* A Release file of the archive. */
struct lock_release {
	char *name; /* "bookworm-updates" */
	char *date; /* the file's own field Date */
	char *sha256;
};

struct lock_package {
	char *name, *version, *arch;
	char *release; /* name of the release that has it */
	char *path;    /* in the archive: "pool/main/..." */
	uint64_t size;
	char *sha256;
	char *where;
};

/* The packages a base is made of. Without packages, it is not locked. */
struct lock_base {
	char *suite, *origin; /* "bookworm", "Debian" */
	char *when;
	char **wanted; /* the recipe's packages and kernel, sorted */
	struct lock_release *releases;
	size_t n_releases;
	struct lock_package *packages; /* sorted by name and architecture */
	size_t n_packages;
	char *where;
};

struct lock {
	struct lock_entry *v;
	size_t n;
	struct intern urls; /* an entry's number is its index */
	struct lock_base base;
};

/* Reads a lock; an absent file is an empty lock. Returns 0, or -1 with complaints. */
int lock_read(struct lock *ret, const char *path, struct diag *d) _must_check_;
void lock_done(struct lock *l);
#define _cleanup_lock_ _cleanup_(lock_done)
void lock_base_done(struct lock_base *b);
#define _cleanup_lock_base_ _cleanup_(lock_base_done)

const struct lock_entry *lock_find(const struct lock *l, const char *url);
/* Adds an entry of a URL that has none, valid until the next one is added. */
struct lock_entry *lock_add(struct lock *l, const char *url, uint64_t size,
			    const char *sha256);
/* Finds a package of a sorted base. */
const struct lock_package *lock_package_find(const struct lock_base *b, const char *name,
					     const char *arch);
struct lock_release *lock_release_add(struct lock_base *b);
struct lock_package *lock_package_add(struct lock_base *b);
/* Sorts releases and packages, when all are added. lock_read() has sorted them. */
void lock_base_sort(struct lock_base *b);

/* Returns the text of the lock. Owned by the caller. */
char *lock_render(const struct lock *l);
/* Replaces the file atomically. Returns 0 or -1. */
int lock_write(const struct lock *l, const char *path, struct err *e) _must_check_;

/* Returns "2026-11-25T03:40:00Z". Owned by the caller. */
char *lock_time(time_t t);
