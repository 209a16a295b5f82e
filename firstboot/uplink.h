/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uplink: one link or a bond of several, with or without a VLAN tag. Its devices are
 * the names of the links in one string, separated by blanks: "eth0", or "eth0 eth1" for a
 * bond. The interface that has the address is the link itself, the bond, or the VLAN on
 * one of them.
 */
#pragma once

#include "firstboot/link.h"
#include "firstboot/plan/plan-files.h"

/* Finds the devices among `links`. Sets *devices, owned by the caller, and *settled when
 * udev has handled all of them. Returns 0, or -1 with the links in the message. */
int uplink_find(const struct host *h, const struct link *links, size_t n, char **devices,
		bool *settled, struct err *e) _must_check_;

/* Does what uplink_find does, and waits up to fb->link_timeout for the links to appear
 * and settle. */
int uplink_wait(const struct firstboot *fb, const struct host *h, char **devices,
		struct err *e) _must_check_;
