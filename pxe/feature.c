/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/feature.h"

const struct feature_rack *const feature_racks[] = {
	&rack_cbr0, &rack_calico, &rack_kubernetes, &rack_docker, NULL,
};
