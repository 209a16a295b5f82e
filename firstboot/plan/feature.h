/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of plans that single features have: a row for each feature with one, in the
 * file of its name in firstboot/plan/feature/. They compute and change nothing;
 * firstboot/feature.h has the code that does.
 */
#pragma once

#include "firstboot/plan/plan.h"

struct feature_plan {
	enum feature_id id;

	/* Each of these may be NULL. plan() is called for every host, the others only
	 * for hosts with the feature. */

	/* Adds its files to the plan, or with !`has` their removal. */
	void (*plan)(struct plan *p, bool has);
	/* Appends its settings of the running system to plan_text(). */
	void (*text)(struct buf *b, const struct plan *p);
	/* Returns true when apply leaves a setting of the old plan that the new one
	 * lacks, until the next boot. */
	bool (*keeps)(const struct plan *old, const struct plan *new);
	/* Appends the values of other machines that the host makes and `firstboot heal`
	 * keeps. */
	void (*remote)(struct buf *b, const struct plan *p);

	/* A unit that is restarted when setting() or the file `reads` changes. */
	const char *unit;
	/* Returns a value of the plan as text, owned by the caller. */
	char *(*setting)(const struct plan *p);
	const char *reads; /* path below the root of a file that the unit reads other
			    * than by EnvironmentFile= */
};

/* Ends with NULL; in the order in which the running system is changed. */
extern const struct feature_plan *const feature_plans[];

extern const struct feature_plan plan_pods, plan_cbr0, plan_nat, plan_calico;
