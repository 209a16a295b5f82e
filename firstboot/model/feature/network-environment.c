/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/words.h"

static const struct host_key keys[] = {
	{.id = HOST_ENVIRONMENT,
	 .name = "environment",
	 .type = HOST_T_STRV,
	 .pairs = true,
	 .offset = offsetof(struct host, f.environment.entries),
	 .summary = "entries added to /etc/network-environment"},
};

static void check(struct check *c)
{
	char **v = c->h->f.environment.entries;

	check_words(c, HOST_ENVIRONMENT, v, 0, word_environment_wrong);
	for (size_t i = 0; v && v[i]; i++)
		for (size_t k = 0; k < i; k++) {
			size_t len = strcspn(v[i], "=") + 1;

			if (strncmp(v[i], v[k], len) != 0)
				continue;
			check_complain(c, HOST_ENVIRONMENT, "%.*s is set twice",
				       (int)len - 1, v[i]);
			break;
		}
}

const struct feature feature_network_environment = {
	.id = FEATURE_NETWORK_ENVIRONMENT,
	.name = "network-environment",
	.summary = "units read the host's and cluster's values from one file",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.flag_always = true,
	.check = check,
};
