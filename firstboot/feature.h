/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code that firstboot has for single features: a row for each, in the file of its
 * name in firstboot/feature/. A feature that needs only keys, templates and a part of the
 * plan (plan/feature.h) has no row.
 */
#pragma once

#include "firstboot/plan/feature.h"
#include "firstboot/registration.h"
#include "firstboot/snapshot.h"

struct feature_code {
	enum feature_id id;

	/* Each of these may be NULL, and is called only for hosts with the feature. */

	/* Makes its settings of the running system. Returns the number of changes, or
	 * -1. */
	int (*apply)(const struct firstboot *fb, const struct plan *p, struct err *e);
	/* Removes them from a host without the feature that had another role before in
	 * this boot. Returns as apply(). */
	int (*remove)(struct err *e);

	/* Returns a reason why no unit of the role can work, owned by the caller, or
	 * NULL. */
	char *(*obstacle)(const struct firstboot *fb, const struct snapshot *s);
	/* Tests that the feature works, when the units and URLs of the role do. Without
	 * `test` it only looks at the result of an earlier test. Returns the fault, owned
	 * by the caller, or NULL. */
	char *(*fault)(const struct firstboot *fb, bool test);

	/* Repairs what can be lost while the host runs. Returns 0 or -1. */
	int (*heal)(const struct firstboot *fb, const struct config *c, struct err *e);
	const struct registration *registration;
};

/* Ends with NULL; in the order in which the running system is changed. */
extern const struct feature_code *const feature_codes[];

extern const struct feature_code code_pods, code_cbr0, code_nat, code_kubernetes,
	code_calico, code_docker;
