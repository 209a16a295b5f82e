/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes cbr0, before Docker needs it: a bridge with exactly one IPv4 address, up.
 * Settings that are right are not touched, so that containers on the bridge are not
 * disturbed.
 */
#include "firstboot/feature/cbr0.h"
#include "firstboot/feature.h"
#include "firstboot/route.h"
#include "lib/log.h"
#include "lib/rtnl.h"

#define CBR0 "cbr0"

/* Makes the bridge when it does not exist and reads it to *link. Returns 1 when it made
 * it, 0, or -1. */
static int ensure(struct rtnl *r, struct rtnl_link *link, struct err *e)
{
	int made = 0, ret = rtnl_link_get(r, CBR0, link);

	if (ret == -ENODEV) {
		ret = rtnl_bridge_add(r, CBR0);
		if (ret < 0 && ret != -EEXIST)
			return err_errno(e, ret, CBR0 ": cannot be created");
		made = ret == 0;
		ret = rtnl_link_get(r, CBR0, link);
	}
	if (ret < 0)
		return err_errno(e, ret, CBR0);
	if (strcmp(link->kind, "bridge") != 0)
		return err_set(e, ERR_FAILED,
			       CBR0 " exists already as a %s, not as a bridge: remove or "
				    "rename it",
			       *link->kind ? link->kind : "physical interface");
	return made;
}

int bridge_apply(struct cidr want, uint32_t mtu, struct err *e)
{
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	char text[NET_CIDR_LEN];
	struct rtnl_link link;
	int ret = rtnl_open(&r), changed;

	if (ret < 0)
		return err_errno(e, ret, "rtnetlink");
	changed = ensure(&r, &link, e);
	if (changed < 0)
		return -1;
	if (mtu && link.mtu != mtu) {
		ret = rtnl_link_set_mtu(&r, link.index, mtu);
		/* Before Linux 4.17 a bridge without ports accepts no more than 1500;
		 * later it follows its ports. */
		if (ret == -EINVAL && mtu > 1500)
			log_warn(CBR0
				 ": with this kernel it gets MTU %u only from its ports",
				 mtu);
		else if (ret < 0)
			return err_errno(e, ret, CBR0 ": MTU %u", mtu);
		else
			changed++;
	}
	ret = rtnl_addr_exactly(&r, link.index, want);
	if (ret < 0)
		return err_errno(e, ret, CBR0 ": address %s",
				 net_format_cidr(want, text));
	changed += ret;
	if (!(link.flags & IFF_UP)) {
		ret = rtnl_link_set_up(&r, link.index, true);
		if (ret < 0)
			return err_errno(e, ret, CBR0 ": cannot be set up");
		changed++;
	}
	return changed;
}

int bridge_remove(struct err *e)
{
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	struct rtnl_link link;
	int ret = rtnl_open(&r);

	if (ret < 0)
		return err_errno(e, ret, "rtnetlink");
	ret = rtnl_link_get(&r, CBR0, &link);
	if (ret == -ENODEV || (ret == 0 && strcmp(link.kind, "bridge") != 0))
		return 0;
	if (ret == 0)
		ret = rtnl_link_del(&r, link.index);
	return ret < 0 ? err_errno(e, ret, CBR0 ": cannot be removed") : 1;
}

/* --- the feature -------------------------------------------------------------------- */

static int apply(const struct firstboot *fb _unused_, const struct plan *p, struct err *e)
{
	return bridge_apply(p->host->f.cbr0.address, p->host->f.cbr0.mtu, e);
}

/* Some units of the role need the default route (route.h). */
static char *obstacle(const struct firstboot *fb, const struct snapshot *s)
{
	return route_missing(fb, &s->config.host, s->applied.uplink);
}

const struct feature_code code_cbr0 = {
	.id = FEATURE_CBR0,
	.apply = apply,
	.remove = bridge_remove,
	.obstacle = obstacle,
};
