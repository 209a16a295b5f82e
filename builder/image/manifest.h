/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.json: everything that is in an image and where it came from, as JSON with
 * "format": 1. It has no times, no absolute paths of the build machine and no mirrors in
 * it: the same inputs give the same bytes wherever they are built. pxe/image.h reads it.
 */
#pragma once

#include "builder/base/base.h"
#include "builder/input/inputs.h"
#include "builder/root/layer.h"
#include "builder/root/merge.h"

struct output {
	char *path; /* in the image's folder */
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

struct manifest {
	const struct recipe *r;
	const struct base *base;
	const struct inputs *inputs;
	const struct lock_base *lock; /* of the base's packages, or NULL */
	const struct layer *layer;
	const struct merge_stats *stats;
	const struct output *outputs; /* sorted by path */
	size_t n_outputs;
	char *const *initrd; /* our paths in it */
};

/* Owned by the caller. */
char *manifest_render(const struct manifest *m);
