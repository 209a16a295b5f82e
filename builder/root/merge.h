/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the image's tree as one tar stream: the entries of the base that merge_plan()
 * keeps, then the layer, then members of archives. Nothing is unpacked to disk.
 */
#pragma once

#include "builder/root/merge-plan.h"
#include "builder/root/root-check.h"

struct merge_stats {
	uint64_t entries; /* the top included */
	uint64_t bytes;   /* data of files */
};

struct merge {
	const struct index *base;
	int tar;             /* the base's root.tar */
	struct digest *tap;  /* receives all of its bytes, for the caller to compare; or
			     * NULL */
	struct layer *layer; /* the merge fills in size and digest of each item */
	uint64_t epoch;      /* time of the layer's items; later times of the base
				 * are set to it */
	struct root_check *check; /* receives every entry, with strings of `base` and
				   * `layer`; or NULL */
};

/* Writes all entries to `out`; does not end it. *ret is set on success only. */
int merge(const struct merge *m, struct archive_out *out, struct merge_stats *ret,
	  struct err *e) _must_check_;
