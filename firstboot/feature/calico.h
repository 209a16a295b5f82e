/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of Calico in etcd: `firstboot pool` writes them, `firstboot heal` restores
 * them. */
#pragma once

#include "firstboot/plan/feature/calico.h"

/*
 * Asks etcd whether calico-node has written this host's bird_ip. Before that nothing may
 * be written below /calico/v1/host/NAME: while a host there has no bird_ip and the node
 * mesh is on, confd renders BIRD's configuration on no host of the cluster (calico-docker
 * v0.4.8, node/filesystem/etc/confd/templates/bird.cfg.template). Returns 1, 0, or -1
 * when etcd does not answer.
 */
int calico_host_is_known(const struct host *h, struct err *e) _must_check_;
