/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code that firstboot has for single features: a row for each, in the file of its
 * name in firstboot/feature/. A feature that needs only keys and templates has no row.
 */
#pragma once

#include "firstboot/plan.h"
#include "firstboot/registration.h"
#include "firstboot/snapshot.h"

struct feature_code {
	enum feature_id id;

	/* Adds its files to the plan: of a host with the feature, or their removal. */
	void (*plan)(struct plan *p, bool has);
	/* Appends its settings of the running system to plan_text(). */
	void (*text)(struct buf *b, const struct plan *p);

	/* Makes its settings of the running system. Returns the number of changes, or
	 * -1. */
	int (*apply)(const struct firstboot *fb, const struct plan *p, struct err *e);
	/* Removes them, when the host had another role before. Returns the same. */
	int (*remove)(struct err *e);

	/* Returns a setting, owned by the caller: when it changes, `unit` is
	 * restarted. */
	char *(*setting)(const struct plan *p);
	/* The unit reads this file without EnvironmentFile=. NULL: none. */
	const char *reads;
	const char *unit;

	/* Returns a reason why no unit of the role can work, owned by the caller, or
	 * NULL. */
	char *(*obstacle)(const struct firstboot *fb, const struct snapshot *s);
	/* Tests at last whether it works; with !`test` nothing is changed. Returns the
	 * fault, owned by the caller, or NULL. */
	char *(*fault)(const struct firstboot *fb, bool test);

	/* Repairs what can be lost while the host runs. Returns 0 or -1. */
	int (*heal)(const struct firstboot *fb, const struct config *c, struct err *e);
	const struct registration *registration; /* NULL: none */
};

/* Ends with NULL; in the order in which the running system is changed. */
extern const struct feature_code *const feature_codes[];

extern const struct feature_code code_pods, code_cbr0, code_nat, code_kubernetes,
	code_calico, code_docker;
