/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/plan/feature/nat.h"
#include "firstboot/plan/feature.h"
#include "firstboot/plan/plan-files.h"
#include "lib/text.h"

static void add_return(char ***rules, struct cidr net, const char *uplink)
{
	char text[NET_CIDR_LEN];

	strv_addf(rules, "-A " NAT_CHAIN " -d %s -o %s -j RETURN",
		  net_format_cidr(net, text), uplink);
}

char **nat_rules(const struct host *h, const char *devices)
{
	char uplink[IF_NAMESIZE];
	char **rules = NULL;

	if (!h->f.nat.on)
		return NULL;
	uplink_name(h, devices, uplink);
	add_return(&rules, h->f.pods.network, uplink);
	add_return(&rules, h->node_network, uplink);
	for (size_t i = 0; i < h->f.nat.exempt.n; i++)
		add_return(&rules, h->f.nat.exempt.v[i], uplink);
	strv_add(&rules, "-A " NAT_CHAIN " -j MASQUERADE");
	return rules;
}

static void text(struct buf *b, const struct plan *p)
{
	_cleanup_strv_ char **rules = nat_rules(p->host, p->uplink);

	buf_puts(b, rules ? "chain nat " NAT_CHAIN ", called once by POSTROUTING\n"
			  : "no chain nat " NAT_CHAIN "\n");
	for (size_t i = 0; rules && rules[i]; i++)
		text_line(b, "    %s", rules[i]);
}

const struct feature_plan plan_nat = {
	.id = FEATURE_NAT,
	.text = text,
};
