/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a base in the cache (base.h), and their digests. `complete` has a line for
 * each of the others, as sha256sum(1) writes it, and is written last.
 */
#pragma once

#include "builder/base/base.h"

/* Digests the files that a base type has written to the folder, adds `inputs`, and writes
 * `complete`. */
int base_entry_complete(const char *dir, const char *inputs, struct err *e) _must_check_;

/*
 * Opens a complete base. The texts are compared with their digests; the kernel, the
 * initrd and root.tar when they are read. Returns 1, 0 when the cache has none, or -1.
 */
int base_entry_open(struct base *ret, const struct cache *c, const char *key,
		    struct err *e) _must_check_;
