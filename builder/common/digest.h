/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, of inputs and of outputs. digest.c is the only file of the builder that
 * includes OpenSSL. In text a digest is lower-case hex.
 */
#pragma once

#include "lib/cleanup.h"

enum digest_type {
	DIGEST_SHA256,
	DIGEST_SHA512,
	/* Broken: anybody can make another file with the same digest. They are checked
	 * where an upstream publishes no other, and never suffice alone. */
	DIGEST_SHA1,
	DIGEST_MD5,
	DIGEST_TYPES
};

#define DIGEST_SHA256_LEN 65  /* in hex, with its NUL */
#define DIGEST_HEX_MAX    129 /* large enough for each of them */

const char *digest_name(enum digest_type type); /* "sha256" */
size_t digest_hex_len(enum digest_type type);   /* without the NUL */
bool digest_is_weak(enum digest_type type);
bool digest_is_hex(const char *s, enum digest_type type);

struct digest;

struct digest *digest_new(enum digest_type type);
void digest_add(struct digest *d, const void *data, size_t len);
/* Finishes the digest; afterwards it can only be freed. Returns `out`. */
const char *digest_hex(struct digest *d, char out[static DIGEST_HEX_MAX]);
/* Computes the digest of what was added so far; more can be added. Returns `out`. */
const char *digest_peek(const struct digest *d, char out[static DIGEST_HEX_MAX]);
void digest_free(struct digest *d);
void digest_free_p(struct digest **d);
#define _cleanup_digest_ _cleanup_(digest_free_p)

/* Digests `fd` from its current offset to its end. Returns 0 or -errno. */
int digest_fd(int fd, enum digest_type type, char out[static DIGEST_HEX_MAX],
	      uint64_t *ret_size) _must_check_;
/* Copies `from`, from its current offset to its end, to `to`, and digests what it copies.
 * Returns 0 or -errno. */
int digest_copy_fd(int from, int to, enum digest_type type,
		   char out[static DIGEST_HEX_MAX]) _must_check_;
/* Digests `len` bytes of `fd` from `offset` on, with SHA-256; a known_digest_fn. */
int digest_range(int fd, uint64_t offset, uint64_t len,
		 char out[static DIGEST_SHA256_LEN]) _must_check_;
const char *digest_text(enum digest_type type, const void *data, size_t len,
			char out[static DIGEST_HEX_MAX]);

/* Computes the SHA-256 of the program `name`, found as run_start() finds it; "" when it
 * is missing or not readable. A cached output of the program can be stored under this
 * digest: another version of the program has another. */
const char *digest_program(const char *name, char out[static DIGEST_HEX_MAX]);
