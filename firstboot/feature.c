/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/feature.h"

const struct feature_code *const feature_codes[] = {
	&code_cbr0,   &code_pods,   &code_nat, &code_kubernetes,
	&code_calico, &code_docker, NULL,
};
