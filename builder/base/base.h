/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base is the root filesystem that an image is made from, with its kernel and initrd.
 * A base type (a row of base_types) makes it once. It is kept in the cache under the
 * digest of everything that determined it.
 *
 *	CACHE/base/<key>/root.tar	the tree, uncompressed pax tar, without /boot
 *	CACHE/base/<key>/vmlinuz	the kernel
 *	CACHE/base/<key>/initrd.img	the distribution's initrd
 *	CACHE/base/<key>/packages	"name version architecture" a line, sorted
 *	CACHE/base/<key>/owners		"path<TAB>package" a line, as dpkg knows them
 *	CACHE/base/<key>/inputs		the text whose SHA-256 is <key>
 *	CACHE/base/<key>/complete	SHA-256 of root.tar; written last
 */
#pragma once

#include "builder/input/cache.h"
#include "builder/input/lock.h"
#include "builder/recipe/base-type.h"
#include "builder/recipe/recipe.h"

/* The arguments of a base type's make. */
struct base_work {
	const struct recipe *r;
	const struct cache *c;
	const struct lock_base *lock; /* the packages to install, or NULL */
	const char *sources;          /* else where to get them from, from prepare */
	char *const *mirrors;
	int source;              /* the file that the base is made from, or -1 */
	const char *source_path; /* its path, or NULL */
	const char *dir;         /* the folder to fill */
	const char *log;         /* file for the messages of the programs that are run */
};

extern const struct base_type base_suite, base_tar, base_disk;

struct base_options {
	char *const *mirrors;         /* mirror.h */
	const struct lock_base *lock; /* NULL or without packages: not locked */
	const struct blob *source;    /* the file that the base is made from, or NULL */
	bool offline;
	bool refresh;
};

struct base {
	char key[DIGEST_HEX_MAX]; /* digest of what the recipe says about the base */
	int tar, kernel, initrd;  /* descriptors */
	char *tar_sha256;
	char *packages, *owners; /* the files' texts */
	bool made;               /* false: found in the cache */
};

/* Checks the file that the base is made from. The error names the recipe and the URL. */
int base_check_source(const struct recipe *r, const struct blob *b,
		      struct err *e) _must_check_;
/* Adds recipe and URL to an error about the file that the base is made from. Always
 * returns -1. */
int base_source_error(const struct recipe *r, struct err *e);
/* Checks that the lock was made for this recipe's packages. Complaints go to `d`. */
void base_check_lock(const struct lock_base *lock, const struct recipe *r,
		     struct diag *d);

/* Opens the recipe's base in the cache, and makes it first if it is not there, or with
 * o->refresh. Empty *ret with base_done(). */
int base_get(struct base *ret, const struct recipe *r, const struct cache *c,
	     const struct base_options *o, struct err *e) _must_check_;
/* Fetches what a later base_get() would need the network for into the cache: the locked
 * packages if the recipe is locked, else the base itself. */
int base_fetch(const struct recipe *r, const struct cache *c,
	       const struct base_options *o, struct err *e) _must_check_;
/* Fills in the base's part of a lock. It stays empty for a base without packages. */
int base_lock(struct lock_base *ret, const struct recipe *r, char *const *mirrors,
	      struct err *e) _must_check_;
void base_done(struct base *b);
#define _cleanup_base_ _cleanup_(base_done)
