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
#include "builder/recipe/base-type.h"
#include "builder/recipe/recipe.h"

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

extern const struct base_type base_suite, base_tar, base_disk;

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
