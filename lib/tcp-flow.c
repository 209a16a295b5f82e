/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel lists all connections; those of other ports are left out here. */
#include "lib/tcp-flow.h"

#include "lib/rtnl-msg.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#define ESTABLISHED 1 /* TCP_ESTABLISHED of the kernel's tcp_states.h */

struct wanted {
	struct rtnl_list list;
	uint32_t address;
	uint16_t port;
};

/* Adds a connection. Kernels before 4.2 do not count acknowledged bytes: 0. */
static int add_flow(const struct nlmsghdr *h, void *arg)
{
	struct wanted *w = arg;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	const size_t end = offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(uint64_t);
	const struct rtattr *a;
	struct tcp_flow *flow;
	int left;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	if (m->idiag_family != AF_INET || ntohs(m->id.idiag_sport) != w->port ||
	    ntohl(m->id.idiag_src[0]) != w->address)
		return 0;
	left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	a = rtnl_get(m + 1, left, INET_DIAG_INFO, end);
	flow = rtnl_list_add(&w->list);
	flow->id = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	flow->peer = ntohl(m->id.idiag_dst[0]);
	if (a)
		memcpy(&flow->acked,
		       (const uint8_t *)RTA_DATA(a) +
			       offsetof(struct tcp_info, tcpi_bytes_acked),
		       sizeof(flow->acked));
	return 0;
}

int tcp_flow_list(uint32_t address, uint16_t port, struct tcp_flow **ret, size_t *n)
{
	const struct inet_diag_req_v2 header = {
		.sdiag_family = AF_INET,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
		.idiag_states = 1 << ESTABLISHED,
	};
	struct wanted w = {
		.list = {.size = sizeof(struct tcp_flow)},
		.address = address,
		.port = port,
	};
	_cleanup_rtnl_ struct rtnl r = {
		.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
	struct rtnl_request q;
	int e;

	if (r.fd < 0)
		return -errno;
	rtnl_request_init(&q, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &header, sizeof(header));
	e = rtnl_send_request(&r, &q, add_flow, &w);
	if (e < 0) {
		rtnl_list_done(&w.list);
		return e;
	}
	*ret = (struct tcp_flow *)(void *)w.list.v;
	*n = w.list.n;
	return 0;
}
