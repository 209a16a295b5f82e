/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that is read to be written to a disk, and must not change meanwhile: its file
 * has the same inode, size and times in the end, and its bytes have the digest that
 * SHA256SUMS beside it names, if that lists it. That is compared before anything is
 * written; the file is read for it, unless its digest is remembered. The bytes of a raw
 * image are digested again while they are read.
 */
#pragma once

#include "builder/disk/disk-image.h"
#include "builder/disk/image-sums.h"
#include "lib/known-digest.h"

/* Checks that the image has the digest in SHA256SUMS beside it, if that lists it. Reads
 * the file unless its digest is remembered. */
int disk_source_verify(const struct disk_image *image, const struct known_digests *k,
		       struct err *e) _must_check_;

struct disk_source {
	struct disk_image *image;
	const struct known_digests *known;
	struct image_sums sums;      /* sums.sha256 is "" when the image is not listed */
	struct digest *stream;       /* of a raw image's bytes, else NULL */
	char sha256[DIGEST_HEX_MAX]; /* of the file of an image that is not raw */
};

/* Prepares the image, which must be open as long as `ret`, to be read from its beginning.
 * Fails when it already has another digest than the listed one. */
int disk_source_begin(struct disk_source *ret, struct disk_image *image,
		      const struct known_digests *k, struct err *e) _must_check_;
void disk_source_done(struct disk_source *s);
#define _cleanup_disk_source_ _cleanup_(disk_source_done)

/* Does what disk_image_read() does. */
int disk_source_read(struct disk_source *s, void *buf, size_t len,
		     struct err *e) _must_check_;

/* Checks, when all has been read, that the image did not change. */
int disk_source_check(struct disk_source *s, struct err *e) _must_check_;
