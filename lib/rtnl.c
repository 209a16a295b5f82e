/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests; rtnl-msg.c sends them. Only features of Linux 3.19 are used: without
 * strict checking a dump contains all objects, which are filtered here.
 */
#include "lib/rtnl-msg.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>

int rtnl_open(struct rtnl *ret)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	*ret = (struct rtnl){.fd = TAKE_FD(fd), .seq = 0};
	return 0;
}

void rtnl_close(struct rtnl *r)
{
	int saved = errno;

	if (r->fd > 0)
		close(r->fd);
	r->fd = -1;
	errno = saved;
}

/* --- links ------------------------------------------------------------------------- */

static int read_link(const struct nlmsghdr *h, struct rtnl_link *l)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	const void *attrs = IFLA_RTA(info);
	const struct rtattr *a;
	uint32_t master = 0;
	int len;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	len = (int)IFLA_PAYLOAD(h);
	*l = (struct rtnl_link){.index = info->ifi_index, .flags = info->ifi_flags};
	rtnl_get_str(attrs, len, IFLA_IFNAME, l->name, sizeof(l->name));
	rtnl_get_u32(attrs, len, IFLA_MTU, &l->mtu);
	rtnl_get_u32(attrs, len, IFLA_MASTER, &master);
	l->master = (int)master;
	a = rtnl_get(attrs, len, IFLA_LINKINFO, 0);
	if (a)
		rtnl_get_str(RTA_DATA(a), RTA_PAYLOAD(a), IFLA_INFO_KIND, l->kind,
			     sizeof(l->kind));
	a = rtnl_get(attrs, len, IFLA_ADDRESS, sizeof(l->mac.b));
	if (a && info->ifi_type == ARPHRD_ETHER) {
		memcpy(l->mac.b, RTA_DATA(a), sizeof(l->mac.b));
		l->has_mac = true;
	}
	return 0;
}

static int on_link(const struct nlmsghdr *h, void *arg)
{
	return read_link(h, arg);
}

static int on_link_listed(const struct nlmsghdr *h, void *arg)
{
	return read_link(h, rtnl_list_add(arg));
}

static bool good_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < IF_NAMESIZE;
}

int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *ret)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct rtnl_link l = {0};
	struct rtnl_request q;
	int e;

	if (!good_name(name))
		return -ENODEV; /* no link can have this name */
	rtnl_request_init(&q, RTM_GETLINK, 0, &info, sizeof(info));
	rtnl_append_str(&q, IFLA_IFNAME, name);
	e = rtnl_send_request(r, &q, on_link, &l);
	if (e < 0)
		return e;
	if (l.index == 0)
		return -ENODEV;
	*ret = l;
	return 0;
}

int rtnl_link_list(struct rtnl *r, struct rtnl_link **ret, size_t *n)
{
	struct rtnl_list l = {.size = sizeof(**ret)};
	int e = rtnl_dump(r, RTM_GETLINK, AF_UNSPEC, on_link_listed, &l);

	if (e < 0)
		return e;
	*ret = (struct rtnl_link *)(void *)l.v;
	*n = l.n;
	return 0;
}

/* Starts a request that changes one link; the caller appends the attributes. */
static void link_request(struct rtnl_request *q, int index, unsigned flags,
			 unsigned change)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_flags = flags,
		.ifi_change = change,
	};

	rtnl_request_init(q, RTM_NEWLINK, 0, &info, sizeof(info));
}

/* Sets the forward delay to 0, so that a new port forwards its first packets. */
static int bridge_set_delay(struct rtnl *r, int index)
{
	struct rtattr *info, *data;
	struct rtnl_request q;

	link_request(&q, index, 0, 0);
	info = rtnl_append(&q, IFLA_LINKINFO, NULL, 0);
	rtnl_append_str(&q, IFLA_INFO_KIND, "bridge");
	data = rtnl_append(&q, IFLA_INFO_DATA, NULL, 0);
	rtnl_append_u32(&q, IFLA_BR_FORWARD_DELAY, 0);
	rtnl_nest_end(&q, data);
	rtnl_nest_end(&q, info);
	return rtnl_send_request(r, &q, NULL, NULL);
}

int rtnl_bridge_add(struct rtnl *r, const char *name)
{
	struct rtnl_link l;
	struct rtattr *info;
	struct rtnl_request q;
	int e;

	if (!good_name(name))
		return -EINVAL;
	link_request(&q, 0, 0, 0);
	q.h.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	rtnl_append_str(&q, IFLA_IFNAME, name);
	info = rtnl_append(&q, IFLA_LINKINFO, NULL, 0);
	rtnl_append_str(&q, IFLA_INFO_KIND, "bridge");
	rtnl_nest_end(&q, info);
	e = rtnl_send_request(r, &q, NULL, NULL);
	if (e < 0)
		return e;

	/* Kernels before 4.12 ignore the delay in the request that makes the bridge. */
	e = rtnl_link_get(r, name, &l);
	if (e < 0)
		return e;
	e = bridge_set_delay(r, l.index);
	if (e < 0) {
		int removed = rtnl_link_del(r, l.index);

		(void)removed; /* the first error is reported */
	}
	return e;
}

int rtnl_link_del(struct rtnl *r, int index)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct rtnl_request q;

	rtnl_request_init(&q, RTM_DELLINK, 0, &info, sizeof(info));
	return rtnl_send_request(r, &q, NULL, NULL);
}

int rtnl_link_set_up(struct rtnl *r, int index, bool up)
{
	struct rtnl_request q;

	link_request(&q, index, up ? IFF_UP : 0, IFF_UP);
	return rtnl_send_request(r, &q, NULL, NULL);
}

int rtnl_link_set_mtu(struct rtnl *r, int index, uint32_t mtu)
{
	struct rtnl_request q;

	link_request(&q, index, 0, 0);
	rtnl_append_u32(&q, IFLA_MTU, mtu);
	return rtnl_send_request(r, &q, NULL, NULL);
}

int rtnl_link_set_master(struct rtnl *r, int index, int master)
{
	struct rtnl_request q;

	link_request(&q, index, 0, 0);
	rtnl_append_u32(&q, IFLA_MASTER, (uint32_t)master);
	return rtnl_send_request(r, &q, NULL, NULL);
}

/* --- addresses --------------------------------------------------------------------- */

/* The values by which the kernel identifies an IPv4 address of a link. */
struct address {
	struct cidr c;
	uint32_t peer; /* of the other end of a point-to-point link, else c.addr */
};

static int on_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *info = NLMSG_DATA(h);
	struct rtnl_list *list = arg;
	struct address *a;
	uint32_t local, peer;
	bool has_local, has_peer;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	if (info->ifa_family != AF_INET || (int)info->ifa_index != list->index)
		return 0;
	has_local = rtnl_get_u32(IFA_RTA(info), IFA_PAYLOAD(h), IFA_LOCAL, &local);
	has_peer = rtnl_get_u32(IFA_RTA(info), IFA_PAYLOAD(h), IFA_ADDRESS, &peer);
	if (!has_local && !has_peer)
		return 0;
	a = rtnl_list_add(list);
	a->c.addr = ntohl(has_local ? local : peer);
	a->c.prefix = info->ifa_prefixlen;
	a->peer = has_peer ? ntohl(peer) : a->c.addr;
	return 0;
}

static int list_addresses(struct rtnl *r, int index, struct rtnl_list *l)
{
	*l = (struct rtnl_list){.size = sizeof(struct address), .index = index};
	return rtnl_dump(r, RTM_GETADDR, AF_INET, on_address, l);
}

int rtnl_addr_list(struct rtnl *r, int index, struct cidr **ret, size_t *n)
{
	_cleanup_rtnl_list_ struct rtnl_list l = {0};
	const struct address *a;
	struct cidr *v;
	int e = list_addresses(r, index, &l);

	if (e < 0)
		return e;
	a = (const struct address *)(const void *)l.v;
	v = xcalloc(l.n, sizeof(*v));
	for (size_t i = 0; i < l.n; i++)
		v[i] = a[i].c;
	*ret = v;
	*n = l.n;
	return 0;
}

static void address_request(struct rtnl_request *q, uint16_t type, uint16_t flags,
			    int index, struct address a)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = a.c.prefix,
		.ifa_index = (uint32_t)index,
	};

	rtnl_request_init(q, type, flags, &info, sizeof(info));
	rtnl_append_u32(q, IFA_LOCAL, htonl(a.c.addr));
	rtnl_append_u32(q, IFA_ADDRESS, htonl(a.peer));
}

int rtnl_addr_add(struct rtnl *r, int index, struct cidr c)
{
	struct address a = {.c = c, .peer = c.addr};
	struct rtnl_request q;

	address_request(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, a);
	if (c.prefix < 31) /* a /31 has no broadcast address (RFC 3021) */
		rtnl_append_u32(&q, IFA_BROADCAST, htonl(net_broadcast(c)));
	return rtnl_send_request(r, &q, NULL, NULL);
}

static int delete_address(struct rtnl *r, int index, struct address a)
{
	struct rtnl_request q;

	address_request(&q, RTM_DELADDR, 0, index, a);
	return rtnl_send_request(r, &q, NULL, NULL);
}

int rtnl_addr_del(struct rtnl *r, int index, struct cidr c)
{
	return delete_address(r, index, (struct address){.c = c, .peer = c.addr});
}

static bool is_wanted(struct address a, struct cidr want)
{
	return a.c.addr == want.addr && a.c.prefix == want.prefix && a.peer == want.addr;
}

int rtnl_addr_exactly(struct rtnl *r, int index, struct cidr want)
{
	_cleanup_rtnl_list_ struct rtnl_list before = {0}, after = {0};
	const struct address *a;
	int e, changes = 0;

	e = list_addresses(r, index, &before);
	if (e < 0)
		return e;
	a = (const struct address *)(const void *)before.v;
	for (size_t i = 0; i < before.n; i++) {
		if (is_wanted(a[i], want))
			continue;
		e = delete_address(r, index, a[i]);
		/* The kernel may have removed a secondary address with its primary
		 * one. */
		if (e < 0 && e != -EADDRNOTAVAIL)
			return e;
		changes++;
	}
	/* `want` may have been such a secondary address: list the addresses again. */
	e = list_addresses(r, index, &after);
	if (e < 0)
		return e;
	a = (const struct address *)(const void *)after.v;
	for (size_t i = 0; i < after.n; i++)
		if (is_wanted(a[i], want))
			return changes;
	e = rtnl_addr_add(r, index, want);
	return e < 0 ? e : changes + 1;
}

int rtnl_addr6_add(struct rtnl *r, int index, const uint8_t addr[16], uint8_t prefix)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = prefix,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = (uint32_t)index,
	};
	struct rtnl_request q;

	rtnl_request_init(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info,
			  sizeof(info));
	rtnl_append(&q, IFA_LOCAL, addr, 16);
	rtnl_append(&q, IFA_ADDRESS, addr, 16);
	return rtnl_send_request(r, &q, NULL, NULL);
}

/* --- routes ------------------------------------------------------------------------ */

/* Adds an element to the list for each default route of the main table. */
static int on_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *info = NLMSG_DATA(h);
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	table = info->rtm_table;
	rtnl_get_u32(RTM_RTA(info), RTM_PAYLOAD(h), RTA_TABLE, &table);
	if (info->rtm_family == AF_INET && info->rtm_dst_len == 0 &&
	    info->rtm_type == RTN_UNICAST && table == RT_TABLE_MAIN)
		rtnl_list_add(arg);
	return 0;
}

int rtnl_have_default_route(struct rtnl *r)
{
	_cleanup_rtnl_list_ struct rtnl_list l = {.size = 1};
	int e = rtnl_dump(r, RTM_GETROUTE, AF_INET, on_route, &l);

	return e < 0 ? e : l.n > 0;
}
