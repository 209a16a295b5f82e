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

/* Checks an option for DOCKER_OPTS="..." (systemd's EnvironmentFile syntax, split at
 * blanks), which may not contradict the options that rackstrap gives Docker. */
static const char *option_wrong(const char *s)
{
	static const char *const ours[] = {"--bridge",   "-b",        "--bip",
					   "--iptables", "--ip-masq", NULL};
	const char *wrong = word_plain_wrong(s);
	size_t len = strcspn(s, "=");

	if (wrong)
		return wrong;
	if (s[0] != '-')
		return "is not an option: it must start with '-' (write --option=value)";
	for (size_t i = 0; ours[i]; i++)
		if (strlen(ours[i]) == len && strncmp(s, ours[i], len) == 0)
			return "contradicts what rackstrap tells Docker about its "
			       "network";
	return NULL;
}

static void check(struct check *c)
{
	check_words(c, HOST_DOCKER_OPTIONS, c->h->f.docker.options, 0, option_wrong);
}

const struct feature feature_docker = {
	.id = FEATURE_DOCKER,
	.name = "docker",
	.summary = "containers are run by Docker",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.program = "docker",
	.package = "docker.io",
	.link = "docker0",
	.flag_always = true,
	.check = check,
};
