/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root image of the last build of a recipe, so that another initrd, another medium or
 * another host.cfg does not compress the same tree again:
 *
 *	CACHE/root/<recipe's name>/root.squashfs
 *	CACHE/root/<recipe's name>/notes	what determined it, its digest, and what
 *						the merge found out meanwhile
 */
#pragma once

#include "builder/base/base.h"
#include "builder/input/inputs.h"
#include "builder/root/layer.h"
#include "builder/root/merge.h"

struct root_cache {
	const struct cache *cache;
	const struct recipe *r;
	char key[DIGEST_HEX_MAX];
};

/* Digests everything that determines the root image: files of this machine are read. */
int root_cache_init(struct root_cache *ret, const struct cache *c, const struct recipe *r,
		    const struct base *b, const struct inputs *in, const struct layer *l,
		    struct err *e) _must_check_;

/*
 * Copies the root image to `name` in dirfd and fills in the layer's sizes and digests and
 * the merge's counts. 1, or 0 when there is none or it is not what it was any more; -1
 * when it could not be copied.
 */
int root_cache_get(const struct root_cache *rc, int dirfd, const char *name,
		   struct layer *l, struct merge_stats *stats,
		   struct err *e) _must_check_;

/* Keeps the root image that has just been made, in the place of the one before. What goes
 * wrong is only worth a warning. */
void root_cache_put(const struct root_cache *rc, int dirfd, const char *name,
		    const struct layer *l, const struct merge_stats *stats);
