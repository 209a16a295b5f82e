/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink requests for bridges, taps and addresses (rtnetlink(7), linux/if_link.h,
 * linux/if_addr.h). Sequence numbers are checked and every request waits for its ACK.
 * Addresses are IPv4, except for rtnl_addr6_add. Functions return 0 or -errno unless
 * described otherwise.
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
	int master; /* the index of the link it is enslaved to, or 0 */
	struct mac mac;
	bool has_mac; /* true for an Ethernet link */
};

/* Looks a link up by its name. Returns 0, -ENODEV, or another -errno. */
int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *ret) _must_check_;

/* Lists all links. *ret is an array owned by the caller. */
int rtnl_link_list(struct rtnl *r, struct rtnl_link **ret, size_t *n) _must_check_;

/* Adds a bridge with a forward delay of 0. Returns -EEXIST when the name is in use. */
int rtnl_bridge_add(struct rtnl *r, const char *name) _must_check_;
int rtnl_link_del(struct rtnl *r, int index) _must_check_;
int rtnl_link_set_up(struct rtnl *r, int index, bool up) _must_check_;
int rtnl_link_set_mtu(struct rtnl *r, int index, uint32_t mtu) _must_check_;
int rtnl_link_set_master(struct rtnl *r, int index, int master) _must_check_;

/* Lists the IPv4 addresses of a link. *ret is an array owned by the caller. */
int rtnl_addr_list(struct rtnl *r, int index, struct cidr **ret, size_t *n) _must_check_;
/* Adds an address with its broadcast address. Returns -EEXIST when the link has it. */
int rtnl_addr_add(struct rtnl *r, int index, struct cidr c) _must_check_;
int rtnl_addr_del(struct rtnl *r, int index, struct cidr c) _must_check_;

/* Adds an IPv6 address, in network byte order, without duplicate address detection, so
 * that it is usable at once. */
int rtnl_addr6_add(struct rtnl *r, int index, const uint8_t addr[16],
		   uint8_t prefix) _must_check_;

/*
 * Makes `want` the only IPv4 address of the link: adds it if absent and removes all
 * others. Returns the number of changes made, or -errno.
 */
int rtnl_addr_exactly(struct rtnl *r, int index, struct cidr want) _must_check_;

/* Looks for an IPv4 default route in the main table. Returns 1, 0 or -errno. */
int rtnl_have_default_route(struct rtnl *r) _must_check_;
