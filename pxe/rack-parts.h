/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the loading of a rack. rack.c loads the groups, and rack-keys.c those of
 * their keys that host.cfg does not have. */
#pragma once

#include "firstboot/model/conf.h"
#include "pxe/rack-check.h"

struct loader {
	struct rack *rack;
	const struct roles *roles;
	struct diag *d;
	const struct conf_node *cluster;
	const struct conf_node *name; /* cluster.name, or NULL */
	/* The cluster group's values for keys that host.cfg does not have. */
	struct rack_host common;
	struct rack_master master;
	bool too_large; /* the cluster's settings, for so many hosts */
	int r;
};

/* Replaces *ret by a string member, unless `wrong` returns a fault of it. */
void rack_load_text(struct loader *l, const struct conf_node *group, const char *prefix,
		    const char *key, const char *(*wrong)(const char *s), char **ret);

/* Loads a host's serial number and UUID. */
void rack_load_identity(struct loader *l, const struct conf_node *group,
			const char *prefix, struct rack_host *h);

/* Loads the keys that rack.cfg has in both groups and host.cfg does not have. */
void rack_load_keys(struct loader *l, const struct conf_node *group, const char *prefix,
		    struct rack_host *h);
