/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/plan/feature.h"

const struct feature_plan *const feature_plans[] = {
	&plan_cbr0, &plan_pods, &plan_nat, &plan_calico, NULL,
};
