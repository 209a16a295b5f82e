/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the files of an image's folder with its SHA256SUMS and manifest.json. A folder
 * without SHA256SUMS has the manifest's digests only.
 */
#pragma once

#include "lib/known-digest.h"
#include "pxe/image.h"

/* Compares the lines of the text of a SHA256SUMS for manifest.json, whose SHA-256 is
 * `manifest`, and for the three parts with the image's manifest. */
int image_check_sums(const struct image *i, const char *sums, const char *manifest,
		     struct err *e) _must_check_;

/*
 * Digests the three parts, as far as they are not known, and compares them with the
 * manifest. Remembers their state in `i`, so that image_part_is_same() tells if they have
 * changed since. `k` must stay valid as long as `i`.
 */
int image_check(struct image *i, const struct known_digests *k,
		struct err *e) _must_check_;

/* Returns false when the open file is not the part that image_check() has digested, or
 * has changed since. Returns true for an image that was not checked. */
bool image_part_is_same(const struct image *i, enum image_part part, int fd);
