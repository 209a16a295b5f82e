/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lib/cleanup.h"

#define DIGEST_LEN 65 /* 64 hex digits and NUL */

/* SHA-256 as lower-case hex. Returns out. */
const char *digest_sha256(const void *data, size_t len, char out[static DIGEST_LEN]);
