/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache: inputs by their digest, bases by theirs, shared by every build of a user.
 * Nothing has its final name before it is whole, and two builds at once do not make the
 * same thing twice: whoever makes something holds its lock.
 *
 *	CACHE/blobs/sha256/<hex>	inputs
 *	CACHE/blobs/sha512/<hex>	links to them, for recipes that pin with SHA-512
 *	CACHE/partial/<hex of URL>	downloads under way, kept when they break off;
 *					.meta says what, .image has a registry's pieces
 *	CACHE/base/<key>/		bases (base.h)
 *	CACHE/root/<recipe>/		the last root image of each recipe (root-cache.h)
 *	CACHE/url/<hex of URL>		what each input was fetched as: "sha256 URL"
 *	CACHE/lock/<name>		flock(2)
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

struct cache {
	char *dir;
	int fd;
};

/* `dir` NULL: $RACKSTRAP_CACHE, else $XDG_CACHE_HOME/rackstrap, else
 * ~/.cache/rackstrap. While it is open, nobody prunes it. */
int cache_open(struct cache *ret, const char *dir, struct err *e) _must_check_;
void cache_done(struct cache *c);
#define _cleanup_cache_ _cleanup_(cache_done)

/* Waits until nobody else has the cache open, and keeps others out until it is closed. */
int cache_lock_all(const struct cache *c, struct err *e) _must_check_;

/* Waits for the lock of that name, saying so once. Closing *ret_fd gives it back. */
int cache_lock(const struct cache *c, const char *name, int *ret_fd,
	       struct err *e) _must_check_;
struct blob {
	int fd;
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

/*
 * Opens an input by its digest and reads it through: what does not have the digest any
 * more is removed and counts as absent. Its time becomes now: when it was last used.
 * 1 when found, 0 when absent, -1.
 */
int cache_blob_open(const struct cache *c, enum digest_type type, const char *hex,
		    struct blob *ret, struct err *e) _must_check_;

/* Where an input is, for programs that need a path. Owned. */
char *cache_blob_path(const struct cache *c, const struct blob *b);

/* Moves CACHE/<path>, whose digests are these, among the inputs. `sha512` may be "". */
int cache_blob_add(const struct cache *c, const char *path, const char *sha256,
		   const char *sha512, struct err *e) _must_check_;

/* Notes what an input was fetched as: for `rackstrap cache`. That it cannot be noted is
 * no error. */
void cache_note_url(const struct cache *c, const char *url, const char *sha256);
