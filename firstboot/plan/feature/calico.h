/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of Calico in etcd that follow from a host's configuration. */
#pragma once

#include "firstboot/model/host.h"

#define CALICO_KEYS "/calico/v1"
#define CALICO_NODE "calico-node.service"

/* One key of Calico 0.4.8 in etcd. */
struct calico_key {
	char *key;  /* "/calico/v1/ipam/v4/pool/192.168.0.0-16" */
	char *want; /* its value, for etcd_ensure() */
	char *what; /* its name in messages: "pool 192.168.0.0/16" */
	bool own;   /* below /calico/v1/host/NAME: see calico_host_is_known() */
};

struct calico_keys {
	struct calico_key *v; /* in the order of writing, this host's own last */
	size_t n;
};

/* Makes the list of keys that a checked, derived host writes: none when its role does not
 * run Calico, none of its own when the role has no calico-node.service. */
void calico_keys_make(struct calico_keys *ret, const struct host *h,
		      const struct role *role);
void calico_keys_done(struct calico_keys *k);
#define _cleanup_calico_keys_ _cleanup_(calico_keys_done)
