/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lib/cleanup.h"

#define DIGEST_LEN 65 /* 64 hex digits and NUL */

/* SHA-256 as lower-case hex. Returns out. */
const char *digest_sha256(const void *data, size_t len, char out[static DIGEST_LEN]);

/* Of what `fd` still holds, to its end. 0 or -errno. */
int digest_sha256_fd(int fd, char out[static DIGEST_LEN]) _must_check_;
