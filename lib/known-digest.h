/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of large files anywhere on this machine, which are remembered as long as the
 * files do not change (digest-memo.h). The memos are in a folder of the user, in a fixed
 * number of files that are named by what identifies a file: inode and device. If two
 * files have the same name there, the later replaces the earlier, and that is read again.
 */
#pragma once

#include "lib/digest-memo.h"

#define KNOWN_DIGEST_LEN 65 /* SHA-256 in hex, with its NUL */

/* Writes the SHA-256 of `len` bytes from `offset` on to `out`, in lower-case hex. Returns
 * 0 or -errno: -ENODATA when the file ends before. */
typedef int known_digest_fn(int fd, uint64_t offset, uint64_t len,
			    char out[static KNOWN_DIGEST_LEN]);

struct known_digests {
	int fd;                  /* of the folder; -1: nothing is remembered */
	bool verify;             /* read every file, and remember its digest */
	known_digest_fn *digest; /* computes a digest */
};

/* Writes the SHA-256 of `len` bytes of the open file from `offset` on to `out`. Reads
 * them only if the digest is not remembered. The file's position does not matter, and may
 * change. Returns 0 or -errno as known_digest_fn does. */
int known_digest(const struct known_digests *k, int fd, uint64_t offset, uint64_t len,
		 char out[static KNOWN_DIGEST_LEN]) _must_check_;

/* Does this for the whole file. `ret_size` may be NULL. */
int known_digest_file(const struct known_digests *k, int fd,
		      char out[static KNOWN_DIGEST_LEN], uint64_t *ret_size) _must_check_;

/* The digest of a file that is about to get or lose a name, which changes its ctime. */
struct known_link {
	int fd; /* -1: none */
	uint64_t offset, len;
	char sha256[KNOWN_DIGEST_LEN];
	struct digest_stamp stamp; /* before known_digest() */
};

/* Remembers the digest for the present state of the file. Its ctime may differ from the
 * stamp's, but if anything else does, nothing is remembered. */
void known_digest_keep(const struct known_digests *k, const struct known_link *l);
