/* SPDX-License-Identifier: Apache-2.0 */
/* Checks everything about a build that is known before anything is fetched or made. */
#pragma once

#include "builder/base/base.h"
#include "builder/image/build.h"
#include "builder/root/index.h"

struct preflight {
	struct lock lock;
	struct cache cache; /* open, but in a dry run without a cache: fd -1 */
	struct base_preview base;
};

#define PREFLIGHT_INIT                                                                   \
	{                                                                                \
		.cache = {.fd = -1 }                                                     \
	}

/*
 * Checks the lock, that every input has a digest, the programs of all stages, the rights
 * to run those of the base, the place of the output, and the space that is needed unless
 * the image is unchanged. With `dry`, also the archives that the cache has, and
 * no folder is made. All mistakes are in the one error: ERR_CONFIG if one of them is in
 * recipe or lock. Returns 0 or -1; end with preflight_done() in any case.
 */
int preflight(struct preflight *ret, const struct recipe *r,
	      const struct build_options *o, bool dry, struct err *e) _must_check_;
/* Checks that the output has room for an image whose root image is to be made from the
 * base, after merge_plan(). Returns 0 or -1: ERR_UNABLE. */
int preflight_output(const struct recipe *r, const char *out, const struct index *base,
		     struct err *e) _must_check_;
/* Checks what `rackstrap fetch` needs, as preflight() does, without space: the inputs'
 * digests and programs, and with `base` what a base that is not locked is made with. */
int preflight_fetch(const struct recipe *r, const struct lock *lock,
		    const struct cache *c, char *const *mirrors, bool base,
		    struct err *e) _must_check_;
void preflight_done(struct preflight *p);
#define _cleanup_preflight_ _cleanup_(preflight_done)
