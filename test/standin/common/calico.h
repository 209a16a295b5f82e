/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that calicoctl 0.4.8 keeps in etcd under /calico/v1, and its container
 * calico-node.
 */
#pragma once

#include "test/standin/common/docker.h"

#define CALICO_VERSION      "v0.4.8"
#define CALICO_NODE_IMAGE   "calico/node:" CALICO_VERSION
#define CALICO_STANDIN_WORD "standin-sleep"

struct calico {
	struct http_target etcd, docker;
	const char *etcd_authority;
	char host[256];
};

/* Fills *c from ETCD_AUTHORITY and DOCKER_HOST, with the original's defaults. */
int calico_open(struct calico *c, struct err *e) _must_check_;

/* Writes the pool's key; "192.168.0.0/16" becomes "192.168.0.0-16", host bits are
 * cleared. Returns -1 also when `cidr` is not a network. */
int calico_pool_add(struct calico *c, const char *cidr, bool ipip, bool masquerade,
		    struct err *e) _must_check_;
/* Returns 1 when the pool was removed, 0 when there was none, or -1. */
int calico_pool_remove(struct calico *c, const char *cidr, struct err *e) _must_check_;

/* Sets *ret to the values directly below a directory, in the order of their keys; NULL
 * when there are none. */
int calico_values(struct calico *c, const char *dir, char ***ret,
		  struct err *e) _must_check_;

/* Writes the default pools if there are none, the global configuration, and this host's
 * keys. */
int calico_set_up(struct calico *c, const char *ip, const char *ip6,
		  struct err *e) _must_check_;

/* Replaces an old container calico-node, if any, by a new one; *id is the new
 * container's, owned by the caller. */
int calico_container_run(struct calico *c, const char *image, const char *ip,
			 const char *ip6, char **id, struct err *e) _must_check_;

/* Returns 1 when the container is running, 0 when it is not, or -1. */
int calico_container_running(struct calico *c, struct err *e) _must_check_;
int calico_container_stop(struct calico *c, struct err *e) _must_check_;
