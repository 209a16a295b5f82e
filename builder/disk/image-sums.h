/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA256SUMS beside an image, in which `rackstrap build` lists its outputs. */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

struct image_sums {
	char *path; /* of SHA256SUMS */
	char *name; /* of the image */
	char *text; /* of SHA256SUMS */
	size_t at;  /* offset of the image's line in it */
	char sha256[DIGEST_SHA256_LEN];
};

/* Reads the line of SHA256SUMS beside the file `path` that is for it. Symlinks to the
 * file are followed. Returns false when there is none. */
bool image_sums_read(struct image_sums *ret, const char *path);
/* Does the same for the file `name` of the folder `parent`. */
bool image_sums_read_in(struct image_sums *ret, const char *parent, const char *name);
void image_sums_done(struct image_sums *s);
#define _cleanup_image_sums_ _cleanup_(image_sums_done)

/* Writes SHA256SUMS as it was read, but with this digest in the image's line, or without
 * the line with `sha256` NULL. */
int image_sums_write(const struct image_sums *s, const char *sha256,
		     struct err *e) _must_check_;
