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
	bool physical; /* has a device behind it: no bridge, VLAN, veth, tap */
	bool settled;  /* udev is done with it, its name stays; true where no udev runs */
};

/* Every Ethernet link. *ret is one allocated array, sorted by name. 0 or -errno. */
int links_list(int rootfd, struct link **ret, size_t *n) _must_check_;

/* "eth0 (52:54:00:25:00:11), eth1 (...)": physical ones; "" when there is none. Owned. */
char *links_format(const struct link *links, size_t n);
char *links_text(int rootfd);

/* The link among `links` by the host's mac and interface, else the only physical one.
 * -1: none or several; the message says what there is. */
int link_find(const struct host *h, const struct link *links, size_t n, struct link *ret,
	      struct err *e) _must_check_;
