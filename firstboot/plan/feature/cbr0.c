/* SPDX-License-Identifier: Apache-2.0 */
/* Docker reads the bridge's address when it starts. */
#include "firstboot/plan/feature.h"
#include "lib/text.h"

static void text(struct buf *b, const struct plan *p)
{
	const struct cbr0 *cbr0 = &p->host->f.cbr0;
	char net[NET_CIDR_LEN];

	text_append(b, "bridge cbr0 %s", net_format_cidr(cbr0->address, net));
	if (cbr0->mtu)
		text_append(b, " mtu %u", cbr0->mtu);
	buf_puts(b, "\n");
}

/* Without an MTU in the plan that of the bridge is not changed. */
static bool keeps(const struct plan *old, const struct plan *new)
{
	return old->host->f.cbr0.mtu && !new->host->f.cbr0.mtu;
}

static char *setting(const struct plan *p)
{
	char net[NET_CIDR_LEN];

	return xstrdup(net_format_cidr(p->host->f.cbr0.address, net));
}

const struct feature_plan plan_cbr0 = {
	.id = FEATURE_CBR0,
	.text = text,
	.keeps = keeps,
	.setting = setting,
	.unit = "docker.service",
};
