/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds what a new plan means for a host that runs with an old one: the units that must
 * be restarted, and settings that only a boot changes. firstboot acts on it (live.c), and
 * `rackstrap diff` announces it.
 */
#pragma once

#include "firstboot/plan/plan.h"

/* The settings that the running units were started with. */
struct plan_record {
	char *target;
	char **settings; /* of features, with their names: "cbr0 192.168.1.1/24" */
	char **inputs;   /* files of the plan and their SHA-256: "etc/hostname 3f..." */
};

void plan_record_make(struct plan_record *ret, const struct plan *p);
void plan_record_done(struct plan_record *r);
#define _cleanup_plan_record_ _cleanup_(plan_record_done)

/* A unit and the files, absolute paths, of its EnvironmentFile=. The strings are another
 * one's. */
struct unit_files {
	const char *unit;
	char *const *files;
};

/* Returns true when the plan has another setting, file or target than the record. */
bool plan_record_differs(const struct plan_record *r, const struct plan *p);

/*
 * Returns the units that must be restarted because the plan changes a setting that they
 * were started with: units of the role that read a changed file with EnvironmentFile= or
 * depend on a changed setting of a feature, all units that the template of a changed file
 * names, networkd, and the report. NULL when nothing differs. `reads` has the units of
 * the plan, in their order. Owned by the caller.
 */
char **plan_stale(const struct plan_record *r, const struct plan *p,
		  const struct unit_files *reads, size_t n);

/* Returns the paths of the plan's files that are not as the record has them; NULL when
 * there are none. Owned by the caller. */
char **plan_changed_files(const struct plan_record *r, const struct plan *p);

/* Returns the paths of changed files of networkd that describe a device: no version of
 * networkd changes one that exists, so that they take effect at the next boot. NULL when
 * there are none. Owned by the caller. */
char **plan_boot_files(const struct plan_record *r, const struct plan *p);

/* Returns the names of the features whose settings of the running system differ, or that
 * only one of the plans has; and of those whose values on other machines differ, to
 * *ret_remote. NULL when there are none. Owned by the caller. */
char **plan_changed_features(const struct plan *old, const struct plan *new,
			     char ***ret_remote);

/* Returns the names of features with a setting that stays until the next boot, although
 * the new plan lacks it. NULL when there are none. Owned by the caller. */
char **plan_boot_features(const struct plan *old, const struct plan *new);
