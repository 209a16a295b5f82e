/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats manifest.json: the contents of an image and their sources, as JSON with
 * "format": 1. It has no times, mirrors or absolute paths of the build machine, so that
 * the same inputs give the same bytes on every machine. pxe/image.h reads it.
 */
#pragma once

#include "builder/base/base.h"
#include "builder/input/inputs.h"
#include "builder/root/layer.h"
#include "builder/root/merge.h"

struct output {
	char *path; /* relative to the image's folder */
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

struct manifest {
	const struct recipe *r;
	const struct base *base;
	const struct inputs *inputs;
	const struct lock_base *lock; /* the base's locked packages, or NULL */
	const struct layer *layer;
	const struct index *index; /* of the base */
	const struct merge_stats *stats;
	const struct output *outputs; /* sorted by path */
	size_t n_outputs;
	char *const *initrd; /* paths that rackstrap added to the initrd */
};

/* Returns the text; owned by the caller. */
char *manifest_render(const struct manifest *m);
