/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, for what comes from elsewhere and for what we hand out. digest.c is the only
 * file of the builder that includes OpenSSL. In text a digest is lower-case hex.
 */
#pragma once

#include "lib/cleanup.h"

enum digest_type {
	DIGEST_SHA256,
	DIGEST_SHA512,
	/* Broken: whoever wants to can make another file that has it. They are looked at
	 * where an upstream publishes nothing else, and never count alone. */
	DIGEST_SHA1,
	DIGEST_MD5,
	DIGEST_TYPES
};

#define DIGEST_SHA256_LEN 65  /* in hex, with its NUL */
#define DIGEST_HEX_MAX    129 /* room for any of them */

const char *digest_name(enum digest_type type); /* "sha256" */
size_t digest_hex_len(enum digest_type type);   /* without the NUL */
bool digest_is_weak(enum digest_type type);
bool digest_is_hex(const char *s, enum digest_type type);

struct digest;

struct digest *digest_new(enum digest_type type);
void digest_add(struct digest *d, const void *data, size_t len);
/* Ends it; afterwards it can only be freed. Returns `out`. */
const char *digest_hex(struct digest *d, char out[static DIGEST_HEX_MAX]);
void digest_free(struct digest *d);
void digest_free_p(struct digest **d);
#define _cleanup_digest_ _cleanup_(digest_free_p)

/* Of what `fd` still holds, from where it stands to its end. 0 or -errno. */
int digest_fd(int fd, enum digest_type type, char out[static DIGEST_HEX_MAX],
	      uint64_t *ret_size) _must_check_;
const char *digest_text(enum digest_type type, const void *data, size_t len,
			char out[static DIGEST_HEX_MAX]);

/* SHA-256 of the program `name`, as run_start finds it: "" when it is not there or may
 * not be read. What a program makes can be kept under it: another version has another. */
const char *digest_program(const char *name, char out[static DIGEST_HEX_MAX]);
