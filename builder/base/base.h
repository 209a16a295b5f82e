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
 *	CACHE/base/<key>/complete	the SHA-256 of each of these; written last
 *	CACHE/base/<key>/known		that of root.tar, with its state (digest-memo.h)
 *	CACHE/base/<key>/index		the entries of root.tar (index-file.h)
 *
 * Every file is compared with its digest when it is read.
 */
#pragma once

#include "builder/common/mistakes.h"
#include "builder/input/inputs.h"
#include "builder/recipe/base-type.h"
#include "builder/recipe/recipe.h"
#include "lib/digest-memo.h"

/*
 * Checks the files that the base will have before it is made: `fd` has a forecast of
 * root.tar (deb-files.h). Complaints go to `d`. Returns 0, or -1 when it could not be
 * checked.
 */
typedef int base_forecast(void *data, int fd, struct diag *d, struct err *e);

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
	base_forecast *forecast; /* or NULL */
	void *forecast_data;
};

extern const struct base_type base_suite, base_tar, base_disk;

struct base_options {
	char *const *mirrors;         /* mirror.h */
	const struct netrc *netrc;    /* for locked packages, or NULL */
	const struct lock_base *lock; /* NULL or without packages: not locked */
	const struct input *source;   /* the file that the base is made from, or NULL */
	bool offline;
	bool refresh;
	base_forecast *forecast; /* called when the packages are there, or NULL */
	void *forecast_data;
};

/* Facts about a base that are known before anything is fetched. */
struct base_preview {
	bool made;      /* it is in the cache */
	uint64_t tar;   /* bytes of its root.tar then */
	bool packages;  /* it is made of packages, ... */
	uint64_t debs;  /* ... which have so many bytes, if it is locked, ... */
	uint64_t fetch; /* ... and so many of these are not in the cache */
};

struct base_file {
	int fd;
	char sha256[DIGEST_SHA256_LEN]; /* that it must have */
};

struct base {
	char key[DIGEST_HEX_MAX]; /* digest of what the recipe says about the base */
	int dir;                  /* its folder in the cache */
	struct base_file tar, kernel, initrd;
	char *packages, *owners; /* the files' texts, verified */
	bool made;               /* false: found in the cache */
	bool verify;             /* do not believe what is remembered */
};

#define BASE_INIT                                                                        \
	{                                                                                \
		.dir = -1, .tar = {.fd = -1}, .kernel = {.fd = -1}, .initrd = {          \
			.fd = -1                                                         \
		}                                                                        \
	}

/* Checks the file that the base is made from, which is at its beginning. The error names
 * the recipe and the URL. */
int base_check_source(const struct recipe *r, int fd, struct err *e) _must_check_;
/* Adds recipe and URL to an error about the file that the base is made from. Always
 * returns -1. */
int base_source_error(const struct recipe *r, struct err *e);
/* Checks that the lock was made for this recipe's packages. Complaints go to `d`. */
void base_check_lock(const struct lock_base *lock, const struct recipe *r,
		     struct diag *d);

/*
 * Finds out if the cache has the base, and checks that it could be made if not: programs,
 * rights, sources of packages, a matching lock. Fetches and makes nothing. `c` is NULL if
 * there is no cache yet.
 */
void base_preview(struct base_preview *ret, const struct recipe *r, const struct cache *c,
		  const struct base_options *o, struct mistakes *m);

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

/* Returns true when root.tar need not be compared with its digest: it was just made, or
 * has not changed since that was remembered. */
bool base_tar_is_known(const struct base *b);

/* Compares the digest of root.tar, whose bytes `tap` has seen, and remembers it. `s` was
 * taken before. With `tap` NULL, reads the file instead, and remembers nothing. */
int base_tar_check(const struct base *b, struct digest *tap, const struct digest_stamp *s,
		   struct err *e) _must_check_;

/*
 * Copies kernel or initrd, from the beginning, to the end of `to`, and compares the
 * digest. `name` is its name in the cache; `path` names `to` in messages.
 */
int base_copy_file(const struct base_file *f, const char *name, int to, const char *path,
		   struct err *e) _must_check_;
#define _cleanup_base_ _cleanup_(base_done)
