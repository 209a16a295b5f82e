/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rack's checks for single features: a row for each, in the file of its name in
 * pxe/feature/. A feature without such checks has no row.
 */
#pragma once

#include "pxe/rack-parts.h"

/* cluster() and prepare() are not called when no image or recipe is given. */
struct feature_rack {
	enum feature_id id;
	/* Checks the cluster group. Called if a host's role has the feature, or may have
	 * it because it is not known. */
	void (*cluster)(struct loader *l);
	/* Sets host->bad[] for values that check() reports, so that host_check() does
	 * not report them too. Called for every host, whatever its features. */
	void (*prepare)(const struct loader *l, size_t i);
	/* Compares the hosts. Called if any role of the image has the feature. Returns 0
	 * or -1. */
	int (*check)(const struct loader *l);
	/* Adds warnings about a rack that is right. Called whatever the hosts' features
	 * are, which are in struct host. */
	void (*warn)(const struct rack *r, struct diag *d);
};

/* Ends with NULL. */
extern const struct feature_rack *const feature_racks[];

extern const struct feature_rack rack_cbr0, rack_kubernetes, rack_calico, rack_docker;
