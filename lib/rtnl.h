/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few rtnetlink requests a bridge, a tap and an address need (rtnetlink(7),
 * linux/if_link.h, linux/if_addr.h). Sequence numbers are checked, every request
 * awaits its ACK, NLMSG_ERROR becomes -errno. Everything about addresses is IPv4 but
 * rtnl_addr6_add.
 */
#pragma once

#include "lib/net.h"

#include <net/if.h>

struct rtnl {
	int fd;
	uint32_t seq;
};

int rtnl_open(struct rtnl *ret) _must_check_;
void rtnl_close(struct rtnl *r);
#define _cleanup_rtnl_ _cleanup_(rtnl_close)

struct rtnl_link {
	int index;
	char name[IF_NAMESIZE];
	char kind[32];  /* IFLA_INFO_KIND: "bridge", "tun", ...; "" for real hardware */
	unsigned flags; /* IFF_* */
	uint32_t mtu;
	int master; /* index or 0 */
	struct mac mac;
	bool has_mac; /* it is an Ethernet link */
};

/* 0, -ENODEV, or another -errno. */
int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *ret) _must_check_;

/* Every link; *ret is one allocated array. */
int rtnl_link_list(struct rtnl *r, struct rtnl_link **ret, size_t *n) _must_check_;

/* -EEXIST when the name is taken. A bridge's forward delay is set to 0. */
int rtnl_bridge_add(struct rtnl *r, const char *name) _must_check_;
int rtnl_link_del(struct rtnl *r, int index) _must_check_;
int rtnl_link_set_up(struct rtnl *r, int index, bool up) _must_check_;
int rtnl_link_set_mtu(struct rtnl *r, int index, uint32_t mtu) _must_check_;
int rtnl_link_set_master(struct rtnl *r, int index, int master) _must_check_;

/* All IPv4 addresses of a link. *ret is one allocated array. */
int rtnl_addr_list(struct rtnl *r, int index, struct cidr **ret, size_t *n) _must_check_;
/* With its broadcast address. -EEXIST when the link has it already. */
int rtnl_addr_add(struct rtnl *r, int index, struct cidr c) _must_check_;
int rtnl_addr_del(struct rtnl *r, int index, struct cidr c) _must_check_;

/* An IPv6 address in network byte order, usable at once (no duplicate detection). */
int rtnl_addr6_add(struct rtnl *r, int index, const uint8_t addr[16],
		   uint8_t prefix) _must_check_;

/*
 * Leaves exactly `want` on the link: adds it if absent, removes every other IPv4
 * address. Returns the number of changes made, or -errno.
 */
int rtnl_addr_exactly(struct rtnl *r, int index, struct cidr want) _must_check_;

/* Whether there is an IPv4 default route (in the main table). 1, 0 or -errno. */
int rtnl_have_default_route(struct rtnl *r) _must_check_;
