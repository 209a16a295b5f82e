/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches the root image of a recipe's last build, so that a build with another initrd,
 * medium or host.cfg does not compress the same tree again. The folder's time is that of
 * the last use:
 *
 *	CACHE/root/<recipe's name>/root.squashfs
 *	CACHE/root/<recipe's name>/root.notes	the digest of what determined it, the
 *						image's digest, results of the merge,
 *						and the digest of these lines
 */
#pragma once

#include "builder/base/base.h"
#include "builder/input/inputs.h"
#include "builder/root/layer.h"
#include "builder/root/merge.h"
#include "lib/known-digest.h"

struct root_cache {
	const struct cache *cache;
	const struct recipe *r;
	char key[DIGEST_HEX_MAX];
};

/* Computes the key: a digest of everything that determines the root image, with the
 * digests of files of this machine that are added to it. */
int root_cache_init(struct root_cache *ret, const struct cache *c, const struct recipe *r,
		    const struct base *b, const struct inputs *in, const struct layer *l,
		    const struct known_digests *k, struct err *e) _must_check_;

/* Does what root_cache_get() does without copying or reading the image: `sha256` is what
 * it had when it was stored. Returns false when the cache has no such image. */
bool root_cache_recall(const struct root_cache *rc, struct layer *l,
		       struct merge_stats *stats, char sha256[static DIGEST_HEX_MAX]);

/* Returns true when the cache has such an image, which may be damaged. */
bool root_cache_has(const struct root_cache *rc);

/*
 * Copies the root image to `name` in dirfd, and fills in the layer's sizes and digests,
 * the merge's counts, and the image's digest, which was computed from the copy. Returns
 * 1, 0 when the cache has no such image or it is damaged, of which it warns, or -1 when
 * it could not be copied.
 */
int root_cache_get(const struct root_cache *rc, int dirfd, const char *name,
		   struct layer *l, struct merge_stats *stats,
		   char sha256[static DIGEST_HEX_MAX], struct err *e) _must_check_;

/* Stores the root image `name` in dirfd, which has this digest, in the place of the one
 * before. A failure is only logged as a warning. */
void root_cache_store(const struct root_cache *rc, int dirfd, const char *name,
		      const char *sha256, const struct layer *l,
		      const struct merge_stats *stats);
