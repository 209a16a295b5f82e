/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rack's checks for single features: a row for each, in the file of its name in
 * pxe/feature/. A feature without such checks has no row.
 */
#pragma once

#include "pxe/rack-parts.h"

struct feature_rack {
	enum feature_id id;
	/* Checks the cluster group of a rack with a host that has the feature. */
	void (*cluster)(struct loader *l);
	/* Marks a host's values as wrong about which check() complains. */
	void (*prepare)(const struct loader *l, size_t i);
	/* Compares the hosts. Returns 0 or -1. */
	int (*check)(const struct loader *l);
};

/* Ends with NULL. */
extern const struct feature_rack *const feature_racks[];

extern const struct feature_rack rack_cbr0, rack_kubernetes, rack_calico;
