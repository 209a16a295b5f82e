/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uplink: one link, or a bond of several; and tagged with a VLAN, or not. What the
 * machine must have are its devices, in one string, with blanks between their names:
 * "eth0", or "eth0 eth1" for a bond. What has the address then is the device itself, the
 * bond, or the VLAN on one of the two.
 */
#pragma once

#include "firstboot/link.h"

/* The name of the interface that has the address. Returns out. */
const char *uplink_name(const struct host *h, const char *devices,
			char out[static IF_NAMESIZE]);

/* The devices among `links`; *settled is whether udev is done with all of them. */
int uplink_find(const struct host *h, const struct link *links, size_t n, char **devices,
		bool *settled, struct err *e) _must_check_;

/* As uplink_find, waiting up to fb->link_timeout for them to appear and settle. */
int uplink_wait(const struct firstboot *fb, const struct host *h, char **devices,
		struct err *e) _must_check_;
