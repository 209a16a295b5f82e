/* SPDX-License-Identifier: Apache-2.0 */
/* The digests of large files that are remembered in the cache, CACHE/files. */
#pragma once

#include "lib/known-digest.h"

/* Opens them, in the default cache with `cache` NULL. If there is none, or it cannot be
 * written to, nothing is remembered and every file is read. */
void known_files_open(struct known_digests *ret, const char *cache);
void known_files_done(struct known_digests *k);
#define _cleanup_known_files_ _cleanup_(known_files_done)
/* Computes the SHA-256 of the program that runs: another version of it may make another
 * output of the same inputs. Returns 0 or -errno. */
int known_files_self(const struct known_digests *k,
		     char out[static KNOWN_DIGEST_LEN]) _must_check_;

#define KNOWN_FILES_INIT                                                                 \
	{                                                                                \
		.fd = -1                                                                 \
	}
