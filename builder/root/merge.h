/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image's tree as one stream: the base as it was planned (merge-plan.h), then the
 * layer, then what comes out of archives. Nothing is unpacked anywhere.
 */
#pragma once

#include "builder/root/merge-plan.h"

struct merge_stats {
	uint64_t entries; /* the top included */
	uint64_t bytes;   /* of files */
};

struct merge {
	const struct index *base;
	int tar;                /* the base's root.tar ... */
	const char *tar_sha256; /* ... and what it must be; NULL: not checked */
	struct layer *layer;    /* the merge notes size and digest of each item */
	uint64_t epoch;         /* time of everything of ours; no time is later */
};

/* 0 when everything of the base and of the layer is in `out`. */
int merge(const struct merge *m, struct archive_out *out, struct merge_stats *ret,
	  struct err *e) _must_check_;
