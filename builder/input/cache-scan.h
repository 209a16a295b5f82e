/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the contents of the cache, for `rackstrap cache`. */
#pragma once

#include "builder/input/cache.h"
#include "lib/str.h"

#include <time.h>

enum cached_kind {
	CACHED_INPUT,
	CACHED_BASE,
	CACHED_ROOT,    /* the last root image of a recipe */
	CACHED_PARTIAL, /* a download that broke off, or is under way */
	CACHED_RUBBISH, /* a base that was being made when its build was killed */
};

struct cached {
	enum cached_kind kind;
	char *path; /* in the cache: "blobs/sha256/..." */
	char *name; /* digest or key; "" for partial and rubbish */
	uint64_t bytes;
	time_t used;              /* when it was last read or written */
	struct strv_builder urls; /* of an input; of a base, its suite and kernel */
};

struct cached_list {
	struct cached *v; /* sorted by kind, then by name */
	size_t n;
};

int cache_scan(struct cached_list *ret, const struct cache *c,
	       struct err *e) _must_check_;
void cached_list_done(struct cached_list *l);
#define _cleanup_cached_list_ _cleanup_(cached_list_done)

/*
 * Removes entries that were not used since `before`, and rubbish, locks and records of
 * blobs that are gone. The caller has the cache to itself (cache_lock_all). A removed
 * entry has no path any more, but still its bytes. With `dry`, nothing is removed.
 */
int cache_prune(const struct cache *c, struct cached_list *l, time_t before, bool dry,
		struct err *e) _must_check_;

struct cache_exported {
	size_t files, copied;
	uint64_t bytes;
};

/*
 * Copies every input to DIR/HOST/PATH, as mirror.h says, and writes the list of them to
 * DIR/SHA256SUMS. A file that is already there and right is not copied again. No file has
 * its final name before it is complete.
 */
int cache_export(struct cache_exported *ret, const struct cache *c,
		 const struct cached_list *l, const char *dir,
		 struct err *e) _must_check_;
