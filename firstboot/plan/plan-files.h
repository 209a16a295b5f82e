/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of each file. The functions return text owned by the caller, or NULL when
 * this host does not need the file. Each text begins with PLAN_MARK.
 */
#pragma once

#include "firstboot/model/host.h"

#include <net/if.h>

#define NETWORK_DIR      "etc/systemd/network/"
#define FILE_BOND        NETWORK_DIR "05-rackstrap-bond.netdev"
#define FILE_BOND_LINKS  NETWORK_DIR "06-rackstrap-bond-links.network"
#define FILE_VLAN        NETWORK_DIR "07-rackstrap-vlan.netdev"
#define FILE_VLAN_DEVICE NETWORK_DIR "08-rackstrap-vlan-device.network"
#define FILE_UPLINK      NETWORK_DIR "10-rackstrap-uplink.network"
#define FILE_RESCUE      NETWORK_DIR "90-rackstrap-rescue.network"

/* Writes the name of the interface that has the address to `out`. Returns `out`. */
const char *uplink_name(const struct host *h, const char *devices,
			char out[static IF_NAMESIZE]);

char *file_hosts(const struct host *h); /* hosts(5) */

/* Files for networkd: systemd.netdev(5), systemd.network(5). `devices`: of the
 * uplink (firstboot/uplink.h).
 * `forward`: this host forwards packets. */
char *file_bond(const struct host *h);
char *file_bond_links(const struct host *h, const char *devices);
char *file_vlan(const struct host *h);
char *file_vlan_device(const struct host *h, const char *devices);
char *file_uplink(const struct host *h, const char *devices, bool forward);
char *file_rescue(void);

char *file_resolv_conf(const struct host *h);  /* resolv.conf(5) */
char *file_authorized_keys(char *const *keys); /* sshd(8) */
