/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's network interfaces as /sys/class/net shows them (kernel
 * Documentation/ABI/testing/sysfs-class-net), and which of them is the uplink.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"

#include <net/if.h>

struct link {
	char name[IF_NAMESIZE];
	struct mac mac;
	unsigned index;
	bool physical; /* it has a device: it is not a bridge, VLAN, veth or tap */
	bool settled;  /* udev has handled it and will not rename it; true without udev */
};

/* Lists all Ethernet links. *ret is an array sorted by name, owned by the caller. Returns
 * 0 or -errno. */
int links_list(int rootfd, struct link **ret, size_t *n) _must_check_;

/* Returns true when there is a physical link, udev has handled all of them and it has no
 * other device in its queue, for which it might load another driver. */
bool links_settled(int rootfd) _must_check_;

/* Return the physical links as "eth0 (52:54:00:25:00:11), eth1 (...)", or "". Owned by
 * the caller. */
char *links_format(const struct link *links, size_t n);
char *links_text(int rootfd);

/* Finds the link that the host's mac and interface name, without both the only physical
 * one. Returns 0, or -1 when there is none or several, with the links in the message. */
int link_find(const struct host *h, const struct link *links, size_t n, struct link *ret,
	      struct err *e) _must_check_;
