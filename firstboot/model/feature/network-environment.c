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

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* Checks NAME=VALUE: written to the file, it must mean the same to systemd's
 * EnvironmentFile= and to a shell that sources it. */
static const char *entry_wrong(const char *s)
{
	/* Those of the template of the images for Kubernetes. */
	static const char *const ours[] = {
		"DEFAULT_IPV4",   "KUBERNETES_MASTER",
		"ETCD_AUTHORITY", "KUBE_API_ROOT",
		"CALICOCTL_PATH", "SERVICE_CLUSTER_IP_RANGE",
		"CLUSTER_DNS",    NULL,
	};
	size_t len = strcspn(s, "=");

	if (!s[len] || len == 0)
		return "is not of the form NAME=VALUE";
	if (strspn(s, LETTERS DIGITS "_") != len || strchr(DIGITS, s[0]))
		return "has a name that is not of letters, digits and '_', no digit "
		       "first";
	for (size_t i = 0; ours[i]; i++)
		if (strlen(ours[i]) == len && strncmp(s, ours[i], len) == 0)
			return "is set by rackstrap itself";
	for (s += len + 1; *s; s++) {
		char c[2] = {*s == ' ' ? 'x' : *s, '\0'};
		const char *wrong = word_plain_wrong(c);

		if (wrong)
			return wrong;
	}
	return NULL;
}

static void check(struct check *c)
{
	char **v = c->h->f.environment.entries;

	check_words(c, HOST_ENVIRONMENT, v, 0, entry_wrong);
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
	.file = "/etc/network-environment",
	.check = check,
};
