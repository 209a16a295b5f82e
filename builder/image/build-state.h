/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a build, which build.c and build-parts.c share. */
#pragma once

#include "builder/base/base.h"
#include "builder/common/outdir.h"
#include "builder/common/progress.h"
#include "builder/image/build.h"
#include "builder/image/manifest.h"
#include "builder/root/container-archives.h"
#include "builder/root/root-cache.h"
#include "lib/known-digest.h"

/* The names of the parts. */
#define BUILD_KERNEL "vmlinuz"
#define BUILD_INITRD "initrd.img"
#define BUILD_ROOT   "root.squashfs"
#define BUILD_PARTS  "parts" /* their folder, if they are no outputs */

enum { PART_INITRD, PART_ROOT, PART_KERNEL, N_PARTS }; /* sorted by name */
enum { LIST_MANIFEST, LIST_SPDX, LIST_SUMS, N_LISTS };

struct build_state {
	const struct recipe *r;
	const struct build_options *o;
	struct stages stages;
	struct lock lock;
	struct cache cache;
	bool base_made; /* the cache has the base already */
	struct known_digests known;
	struct inputs inputs;
	struct container_archives containers;
	struct base base;
	struct index index;
	struct layer layer;
	struct outdir out;
	struct root_cache root_cache;
	const char *parts_dir; /* in the temporary folder: "." or "parts" */
	int parts;             /* its descriptor, or -1 */
	struct output part[N_PARTS];
	char **initrd_paths;
	struct merge_stats stats;
	struct output *outputs;
	size_t n_outputs;
	struct output lists[N_LISTS];
};

/* Makes kernel, initrd and root image in the temporary folder, which it makes first. */
int build_parts(struct build_state *b, struct err *e) _must_check_;

/* Reads the size and the digest of a file in a folder of the build. */
int build_output_read(const struct build_state *b, int dirfd, const char *path,
		      struct output *ret, struct err *e) _must_check_;
