/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/feature.h"

const struct feature *const features[FEATURE_COUNT] = {
	&feature_pods,
	&feature_cbr0,
	&feature_nat,
	&feature_kubernetes,
	&feature_kubernetes_master,
	&feature_calico,
	&feature_docker,
	&feature_network_environment,
};

const struct feature *feature_find(const char *name)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (streq(features[i]->name, name))
			return features[i];
	return NULL;
}

const char *feature_nearest(const char *name)
{
	const char *names[FEATURE_COUNT + 1] = {NULL};

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		names[i] = features[i]->name;
	return str_nearest_name(name, names);
}

char **feature_names(uint32_t set)
{
	char **v = NULL;

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (set & FEATURE_BIT(i))
			strv_add(&v, features[i]->name);
	return v;
}

uint32_t features_close(uint32_t set)
{
	uint32_t before;

	do {
		before = set;
		for (size_t i = 0; i < FEATURE_COUNT; i++)
			if (set & FEATURE_BIT(i))
				set |= features[i]->includes;
	} while (set != before);
	return set;
}

bool features_need_address(uint32_t set)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (set & FEATURE_BIT(i) && features[i]->needs_address)
			return true;
	return false;
}

const struct feature *feature_of_key(enum host_key_id id)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (features[i]->n_keys && id >= features[i]->keys[0].id &&
		    id < features[i]->keys[0].id + features[i]->n_keys)
			return features[i];
	return NULL;
}
