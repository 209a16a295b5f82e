/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base: the root filesystem an image starts from, with its kernel and initrd. Made
 * once by a base type (a row of base_types) and kept in the cache under the digest of
 * everything that determined it.
 *
 *	CACHE/base/<key>/root.tar	the tree, uncompressed pax tar, without /boot
 *	CACHE/base/<key>/vmlinuz	the kernel
 *	CACHE/base/<key>/initrd.img	the distribution's initrd
 *	CACHE/base/<key>/packages	"name version architecture" a line, sorted
 *	CACHE/base/<key>/owners		"path<TAB>package" a line, as dpkg knows them
 *	CACHE/base/<key>/inputs		the text whose SHA-256 is <key>
 *	CACHE/base/<key>/complete	digest of root.tar; written last
 */
#pragma once

#include "builder/input/cache.h"
#include "builder/input/lock.h"
#include "builder/recipe/recipe.h"

struct base_options {
	char *const *mirrors;         /* mirror.h */
	const struct lock_base *lock; /* NULL or without packages: not locked */
	const struct blob *source;    /* what the base is made from, or NULL */
	bool offline;
	bool refresh;
};

struct base {
	char key[DIGEST_HEX_MAX]; /* of what the recipe says */
	int tar, kernel, initrd;  /* descriptors */
	char *tar_sha256;
	char *packages, *owners; /* the files' texts */
	bool made;               /* just now, not found in the cache */
};

struct base_tool {
	const char *program, *package;
};

/* What a base type's make gets. */
struct base_work {
	const struct recipe *r;
	const char *sources; /* of prepare */
	char *const *mirrors;
	int source;              /* what the base is made from, or -1, ... */
	const char *source_path; /* ... and where that is */
	const char *dir;         /* to fill */
	const char *log;         /* file for what it says while it works */
};

struct base_type {
	const char *name;
	const char *const *keys; /* of the recipe's base group, "type" included */

	/* Reads its keys over what is there, and checks the whole once all is read. */
	void (*parse)(struct recipe_base *b, const struct conf_node *group,
		      struct diag *d);
	void (*check)(const struct recipe *r, struct diag *d);
	void (*describe)(const struct recipe_base *b, struct buf *out); /* --dry-run */

	/* Checks what the base is made from, as far as that goes without making it: reads
	 * `fd`, from its beginning. NULL: it is not made from one file. */
	int (*check_source)(const struct recipe *r, int fd, struct err *e);
	/*
	 * Appends to `inputs` what the recipe says about the base, and to `sources` where
	 * this machine gets it from: both determine where it is in the cache, the first
	 * alone is its key in the manifest. Nothing is fetched yet.
	 */
	int (*prepare)(const struct recipe *r, struct buf *inputs, struct buf *sources,
		       struct err *e);
	/*
	 * Which packages it would be made of now, with their digests (everything but
	 * `where`). NULL: such a base is not made of packages that could be locked. Where
	 * it is locked, make is given a source that has these packages only.
	 */
	int (*resolve)(struct lock_base *ret, const struct recipe *r, const char *sources,
		       char *const *mirrors, struct err *e);
	/* The programs that make needs, with the packages they are in. Their digests
	 * are in the cache's key: another version may make another tree. */
	const struct base_tool *tools;
	/* Fills the folder (see above), all but inputs and complete. */
	int (*make)(const struct base_work *w, struct err *e);
};

extern const struct base_type base_suite, base_tar, base_disk;
extern const struct base_type *const base_types[]; /* NULL-terminated */
const struct base_type *base_type_find(const char *name);

/* -1 names the first program that is missing, with its package. NULL ends `tools`. */
int base_check_tools(const struct base_tool *tools, struct err *e) _must_check_;

/* Checks what the base is made from; the error says which base of which recipe. */
int base_check_source(const struct recipe *r, const struct blob *b,
		      struct err *e) _must_check_;
/* Puts recipe and URL before an error about what the base is made from. Always -1. */
int base_source_error(const struct recipe *r, struct err *e);
/* Checks that a lock was made for this recipe's packages. */
void base_check_lock(const struct lock_base *lock, const struct recipe *r,
		     struct diag *d);

int base_get(struct base *ret, const struct recipe *r, const struct cache *c,
	     const struct base_options *o, struct err *e) _must_check_;
/* What a later base_get needs and the network has: the locked packages, or the base. */
int base_fetch(const struct recipe *r, const struct cache *c,
	       const struct base_options *o, struct err *e) _must_check_;
/* Fills in the base's part of a lock; it stays empty where there is nothing to lock. */
int base_lock(struct lock_base *ret, const struct recipe *r, char *const *mirrors,
	      struct err *e) _must_check_;
void base_done(struct base *b);
#define _cleanup_base_ _cleanup_(base_done)
