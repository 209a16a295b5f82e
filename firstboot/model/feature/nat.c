/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"

#define AT(m) offsetof(struct host, f.nat.m)

static const struct host_key keys[] = {
	{.id = HOST_NAT,
	 .name = "nat",
	 .type = HOST_T_BOOL,
	 .offset = AT(on),
	 .summary = "masquerade packets from pods to outside the cluster"},
	{.id = HOST_NAT_EXEMPT,
	 .name = "nat_exempt",
	 .type = HOST_T_CIDRV,
	 .offset = AT(exempt),
	 .summary = "more networks that are not masqueraded"},
};

static void init(struct host *h)
{
	h->f.nat.on = true;
	host_set_origin(h, HOST_NAT, "default", 0);
}

static void check(struct check *c)
{
	const struct cidrv *exempt = &c->h->f.nat.exempt;

	for (size_t i = 0; check_have(c, HOST_NAT_EXEMPT) && i < exempt->n; i++)
		check_network(c, HOST_NAT_EXEMPT, exempt->v[i]);
}

const struct feature feature_nat = {
	.id = FEATURE_NAT,
	.name = "nat",
	.summary = "packets from pods to the outside get the host's address",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.includes = FEATURE_BIT(FEATURE_PODS),
	.program = "iptables-restore",
	.package = "iptables",
	.heals = true,
	.init = init,
	.check = check,
};
