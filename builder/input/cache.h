/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache: inputs by their digest, bases by theirs, shared by all builds of a user. An
 * entry gets its final name when it is complete. Its maker holds its lock, so that two
 * builds at once do not make the same entry twice.
 *
 *	CACHE/blobs/sha256/<hex>	inputs
 *	CACHE/blobs/sha512/<hex>	links to them, for recipes that pin with SHA-512
 *	CACHE/known/<hex>		an input's digest with the state of its file
 *					(digest-memo.h); its time is that of the last use
 *	CACHE/files/<nnn>		the same of files elsewhere (known-digest.h)
 *	CACHE/partial/<hex of URL>	downloads under way, kept after a failure; the URL
 *					is in .meta, a registry's pieces in a scratch
 *					folder
 *	CACHE/base/<key>/		bases (base.h)
 *	CACHE/root/<recipe>/		the last root image of each recipe (root-cache.h)
 *	CACHE/built/<hex of path>	what a build has made there (build-record.h)
 *	CACHE/containers/<key>		what an archive of a container image will be
 *	CACHE/apt/			apt's parsed lists (apt.h)
 *	CACHE/url/<hex of URL>		the input fetched from a URL: "sha256 URL", and
 *					in the next line the SHA-256 of that line
 *	CACHE/lock/<name>		flock(2)
 *	CACHE/left/			records of scratch folders (leftovers.h)
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

/* The advice for a cache of another user (builder/common/foreign.h). */
#define CACHE_ADVICE "give it back (chown -R), or name another with --cache"

struct cache {
	char *dir;
	int fd;
	bool verify; /* read every file, even one whose digest is remembered */
};

/* Opens the cache. With `dir` NULL it is $RACKSTRAP_CACHE, else
 * $XDG_CACHE_HOME/rackstrap, else ~/.cache/rackstrap. While it is open, cache_lock_all()
 * waits. */
int cache_open(struct cache *ret, const char *dir, struct err *e) _must_check_;
void cache_done(struct cache *c);
#define _cleanup_cache_ _cleanup_(cache_done)

/* Waits until nobody else has the cache open, and keeps others out until it is closed. */
int cache_lock_all(const struct cache *c, struct err *e) _must_check_;

/* Waits for the lock of that name, and logs once that it waits. Closing *ret_fd unlocks
 * it. */
int cache_lock(const struct cache *c, const char *name, int *ret_fd,
	       struct err *e) _must_check_;

/* An input in the cache. */
struct blob {
	int fd; /* open for reading */
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

/*
 * Opens an input by its digest and digests it, unless it has not changed since the digest
 * was remembered. A file with another digest is removed and counts as absent. Records
 * that the input is used now. Returns 1 when found, 0 when absent, or -1.
 */
int cache_blob_open(const struct cache *c, enum digest_type type, const char *hex,
		    struct blob *ret, struct err *e) _must_check_;

/* Returns true when the cache has a file for the digest, which may be damaged. */
bool cache_blob_exists(const struct cache *c, enum digest_type type, const char *hex);

/* Sets `sha256` to that of the input with this digest, without reading the input: the
 * cache knows it once it had the input. Returns false when it does not. */
bool cache_blob_sha256(const struct cache *c, enum digest_type type, const char *hex,
		       char sha256[static DIGEST_HEX_MAX]) _must_check_;

/* Returns the path of an input, for programs that need one. Owned by the caller. */
char *cache_blob_path(const struct cache *c, const struct blob *b);

/* Moves CACHE/<path>, which has these digests, among the inputs. `sha512` may be "". */
int cache_blob_add(const struct cache *c, const char *path, const char *sha256,
		   const char *sha512, struct err *e) _must_check_;

/* Returns the text of CACHE/url/ for an input; owned. */
char *cache_url_note(const char *url, const char *sha256);

/* Records the URL that an input was fetched from, for `rackstrap cache`. Errors are
 * ignored. */
void cache_note_url(const struct cache *c, const char *url, const char *sha256);
