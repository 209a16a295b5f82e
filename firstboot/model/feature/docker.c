/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/words.h"

static const struct host_key keys[] = {
	{.id = HOST_DOCKER_OPTIONS,
	 .name = "docker_options",
	 .type = HOST_T_STRV,
	 .offset = offsetof(struct host, f.docker.options),
	 .sample = "--debug",
	 .summary = "options added to Docker's"},
};

static void check(struct check *c)
{
	check_words(c, HOST_DOCKER_OPTIONS, c->h->f.docker.options, 0,
		    word_docker_option_wrong);
}

const struct feature feature_docker = {
	.id = FEATURE_DOCKER,
	.name = "docker",
	.summary = "containers are run by Docker",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.program = "docker",
	.package = "docker.io",
	.flag_always = true,
	.check = check,
};
