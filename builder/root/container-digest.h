/* SPDX-License-Identifier: Apache-2.0 */
/* The digests and ids of container images, and the texts that they are made of. For
 * container-json.c. */
#pragma once

#include "builder/root/container-json.h"

struct buf;

/* Copies 64 hexadecimal digits that follow `prefix` to `out`; anything else is an error.
 */
int container_parse_hex(char out[static DIGEST_SHA256_LEN], const char *s,
			const char *prefix, const char *what, struct err *e) _must_check_;

/* Decodes base64url without padding (RFC 7515). */
int container_base64url(struct buf *out, const char *s) _must_check_;

/* Copies the digest if the member is named after it: "<hex>.json" (Docker),
 * "blobs/sha256/<hex>" (OCI). */
void container_digest_from_name(char out[static DIGEST_SHA256_LEN], const char *member);

/* Makes the layer's id from its digest and its parent's id, and for the topmost layer
 * from the configuration too. */
void container_layer_id(struct container_layer *l, const char *parent,
			const char *config);
