/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features: what a stack of programs needs of a host. A role of an image asks for
 * them by name, features = [ "cbr0", "nat" ], and only hosts of such a role have their
 * keys. Each feature has one file of its name in firstboot/model/feature/ (its keys and
 * their checks), and where it needs code elsewhere, in firstboot/feature/ and
 * pxe/feature/.
 */
#pragma once

#include "firstboot/model/feature/calico.h"
#include "firstboot/model/feature/cbr0.h"
#include "firstboot/model/feature/docker.h"
#include "firstboot/model/feature/kubernetes.h"
#include "firstboot/model/feature/nat.h"
#include "firstboot/model/feature/network-environment.h"
#include "firstboot/model/feature/pods.h"

enum feature_id {
	FEATURE_PODS,
	FEATURE_CBR0,
	FEATURE_NAT,
	FEATURE_KUBERNETES,
	FEATURE_KUBERNETES_MASTER,
	FEATURE_CALICO,
	FEATURE_DOCKER,
	FEATURE_NETWORK_ENVIRONMENT,
	FEATURE_COUNT,
};

/* A set of features has a bit for each. */
#define FEATURE_BIT(id) (1U << (id))
#define FEATURES_ALL    ((1U << FEATURE_COUNT) - 1)

/* The ids of all their keys, in the order of host.cfg. */
#define FEATURE_KEY_IDS                                                                  \
	KUBERNETES_KEY_IDS, PODS_KEY_IDS, CBR0_KEY_IDS, NAT_KEY_IDS, CALICO_KEY_IDS,     \
		DOCKER_KEY_IDS, NETWORK_ENVIRONMENT_KEY_IDS

/* Their values in a host. */
struct host_features {
	struct pods pods;
	struct cbr0 cbr0;
	struct nat nat;
	struct kubernetes kubernetes;
	struct calico calico;
	struct docker docker;
	struct network_environment environment;
};
