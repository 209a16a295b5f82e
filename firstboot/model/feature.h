/* SPDX-License-Identifier: Apache-2.0 */
/* The table of features, for the files of the host model. */
#pragma once

#include "firstboot/model/host.h"
#include "firstboot/model/template.h"

struct check;

struct feature {
	enum feature_id id;
	const char *name;    /* in a role's `features`, and in messages */
	const char *summary; /* one line */

	const struct host_key *keys; /* their ids follow each other */
	size_t n_keys;
	uint32_t includes; /* features that a role with this one has too */

	const char *program, *package; /* firstboot runs it for the feature; or NULL */
	const char *link;              /* that its programs make; or NULL */
	const char *file;   /* with its values, which a template makes; or NULL */
	bool needs_address; /* its programs need a fixed address */
	bool heals;         /* `firstboot heal` repairs it */
	bool forwards;      /* its hosts forward packets */

	/* For roles of images that were built before there were features, which had
	 * flags: */
	const char *role_flag;  /* the flag that brings this feature; NULL: none */
	uint32_t flag_features; /* further ones that the same flag brings */
	bool flag_always;       /* every role of such an image has the feature */

	enum host_key_id shown; /* the key that a host's status shows; HOST_NAME: none */
	const char *column; /* the title of that key in tables of hosts; NULL: tables and
			     * reports of hosts do not have its value */

	/* Sets the defaults, in a host without values. NULL: there are none. */
	void (*init)(struct host *h);
	/* Removes defaults that init() has set for keys that are not the feature's own,
	 * in a host without the feature. NULL: there are none. */
	void (*drop)(struct host *h);
	/* Sets values that follow from others. `role`: NULL when it is not known. NULL:
	 * nothing follows. */
	void (*derive)(struct host *h, const struct role *role);
	/* More names for templates whose roles all have the feature, ending in a row
	 * without name, and the function that sets their values; both NULL: none. */
	const struct template_key *values;
	void (*fill)(struct template_values *v, const struct host *h);
	/* Checks the values of a host that has the feature, or whose role is not known
	 * (host-check-parts.h). NULL: there is nothing to check. */
	void (*check)(struct check *c);
};

/* In the order of enum feature_id. */
extern const struct feature *const features[FEATURE_COUNT];

/* The features in one file each. */
extern const struct feature feature_pods, feature_cbr0, feature_nat, feature_kubernetes,
	feature_kubernetes_master, feature_calico, feature_docker,
	feature_network_environment;

/* Returns the feature of that name, or NULL. */
const struct feature *feature_find(const char *name);
/* Returns the name that is nearest to `name`, or NULL when none is near. */
const char *feature_nearest(const char *name);
/* Returns the names of a set. Owned by the caller. */
char **feature_names(uint32_t set);
/* Returns the set with all features that its members include. */
uint32_t features_close(uint32_t set);
/* Returns true when a feature of the set has programs that need a fixed address. */
bool features_need_address(uint32_t set);

/* Returns the feature that has the key; NULL for keys of every host. */
const struct feature *feature_of_key(enum host_key_id id);
