/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders what the servers' configurations have for machines whose MAC address no host
 * has: a pool of addresses for strangers, and the ways to be a host by serial number or
 * UUID.
 *
 * By UUID, DHCP gives the machine the address of the host: every PXE client sends it
 * (option 97, RFC 4578). nginx then gives it the host's files under by-uuid/UUID, because
 * it has the address. A serial number is not in DHCP: nginx gives the files under
 * by-serial/SERIAL to addresses of the pool, which no host has, and to the host's own.
 * No one of these ways is for a running host of the rack, which has another address.
 */
#pragma once

#include "pxe/tree-parts.h"

/* Returns true when a host of the rack has a UUID, and dnsmasq gives out addresses. Then
 * each dhcp-host has a tag: dnsmasq prefers those with a tag to those without, even if a
 * MAC address is the whole of one and a wildcard in the other. */
bool strangers_has_uuids(const struct tree_plan *p);

/* Returns the network that the whole pool is in, if there is a pool. */
struct cidr strangers_network(const struct rack *r);

/* Append lines of dnsmasq.conf, each after a newline: the range of the pool; and for each
 * host with a UUID what sets its tag. */
void strangers_append_range(const struct tree_plan *p, struct buf *b);
void strangers_append_tags(const struct tree_plan *p, struct buf *b);
/* Appends what comes behind the MAC address of host `i` in its dhcp-host, in a rack of
 * which strangers_has_uuids() is true. */
void strangers_append_host(const struct tree_plan *p, size_t i, struct buf *b);

/* Return the blocks of nginx.conf: the networks of strangers, for geo, and the files of
 * hosts by the names of by-uuid/ and by-serial/. Owned by the caller. */
char *strangers_nginx_networks(const struct tree_plan *p);
char *strangers_nginx_files(const struct tree_plan *p);
