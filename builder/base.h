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
 *	CACHE/base/<key>/modules	kernel modules there are, a name a line
 *	CACHE/base/<key>/inputs		the text whose SHA-256 is the key
 *	CACHE/base/<key>/complete	digest of root.tar; written last
 */
#pragma once

#include "cache.h"
#include "recipe.h"

struct base_options {
	char *const *mirrors; /* PREFIX=REPLACEMENT */
	bool offline;
	bool refresh;
};

struct base {
	char key[DIGEST_HEX_MAX];
	char *dir;
	int tar, kernel, initrd; /* descriptors */
	char *tar_sha256;
	char *packages, *owners; /* the files' texts */
	bool made;		 /* just now, not found in the cache */
};

struct base_type {
	const char *name;
	const char *const *keys; /* of the recipe's base group, "type" included */

	/* Reads its keys over what is there, and checks the whole once all is read. */
	void (*parse)(struct recipe_base *b, const struct conf_node *group, struct diag *d);
	void (*check)(const struct recipe *r, struct diag *d);
	void (*describe)(const struct recipe_base *b, struct buf *out); /* for --dry-run */

	/*
	 * Appends to `inputs` what determines this base, in a form that does not depend
	 * on where it is built. *ret is private to make and freed by free_state.
	 */
	int (*prepare)(const struct recipe *r, const struct base_options *o,
		       struct buf *inputs, void **ret, struct err *e);
	/* Fills the folder `dir` (see above), all but inputs and complete. */
	int (*make)(const struct recipe *r, void *state, struct cache *c, const char *dir,
		    struct err *e);
	void (*free_state)(void *state);
};

extern const struct base_type base_suite;
extern const struct base_type *const base_types[]; /* NULL-terminated */
const struct base_type *base_type_find(const char *name);

int base_get(struct base *ret, const struct recipe *r, struct cache *c,
	     const struct base_options *o, struct err *e) _must_check_;
void base_done(struct base *b);
#define _cleanup_base_ _cleanup_(base_done)

/*
 * Splits the root filesystem tar that comes on `fd` into the files of a base folder:
 * what every base type's make ends with. 0, or -1.
 */
int base_split(const struct recipe *r, int fd, const char *name, const char *dir,
	       struct err *e) _must_check_;
