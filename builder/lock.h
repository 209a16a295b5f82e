/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipe.lock: what every input of a recipe was when it was last locked. A libconfig
 * file, written by `rackstrap lock`, read and held to by `rackstrap build`:
 *
 *	version = 1;
 *	inputs = ( { url = "..."; size = "123"; sha256 = "..."; }, ... );
 *
 * URLs are the recipe's, never a mirror's.
 */
#pragma once

#include "digest.h"
#include "lib/err.h"

struct lock_entry {
	char *url;
	uint64_t size;
	char *sha256;
	char *where; /* "recipe.lock:4" */
};

struct lock {
	struct lock_entry *v;
	size_t n;
};

/* An absent file is an empty lock. 0, or -1 with complaints. */
int lock_read(struct lock *ret, const char *path, struct diag *d) _must_check_;
void lock_done(struct lock *l);
#define _cleanup_lock_ _cleanup_(lock_done)

const struct lock_entry *lock_find(const struct lock *l, const char *url);
void lock_add(struct lock *l, const char *url, uint64_t size, const char *sha256);

/* As it is written. Owned by the caller. */
char *lock_render(const struct lock *l);
/* Replaces the file atomically. 0 or -1. */
int lock_write(const struct lock *l, const char *path, struct err *e) _must_check_;
