/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests, and HMAC-SHA256 (RFC 2104). */
#pragma once

#include "lib/cleanup.h"

#define DIGEST_LEN   65 /* 64 hex digits and NUL */
#define HMAC_KEY_LEN 32 /* bytes */

/* Writes the digest of `len` bytes to `out` in lower-case hexadecimal. Returns `out`. */
const char *digest_sha256(const void *data, size_t len, char out[static DIGEST_LEN]);

/* Writes the HMAC of `text` to `out`, as digest_sha256() does. Returns `out`. */
const char *digest_hmac_sha256(const uint8_t key[static HMAC_KEY_LEN], const char *text,
			       char out[static DIGEST_LEN]);

/* Reads `fd` to its end and writes the digest of these bytes to `out`. Returns 0 or
 * -errno. */
int digest_sha256_fd(int fd, char out[static DIGEST_LEN]) _must_check_;
