/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a rack that templates may loop over: each host's name, role and address.
 * `rackstrap pxe` writes it for the hosts as hosts.cfg (libconfig):
 *
 *	hosts = ( { name = "node-1"; role = "node"; address = "172.25.0.11"; }, ... );
 *
 * A host whose address comes from DHCP has none.
 */
#pragma once

#include "firstboot/model/host.h"

struct rack_member {
	char *name, *role;
	uint32_t address; /* 0: by DHCP */
};

struct rack_hosts {
	struct rack_member *v;
	size_t n;
};

void rack_hosts_add(struct rack_hosts *r, const char *name, const char *role,
		    uint32_t address);
/* Loads the list of a hosts.cfg, which must not be empty. Returns 0, or -1 with
 * complaints; *ret is the caller's to empty in any case. */
int rack_hosts_load(struct rack_hosts *ret, const struct conf_node *root,
		    struct diag *d) _must_check_;
/* Loads it from a whole rack.cfg(5), as on a boot medium, which was checked when the
 * medium was made: wrong entries are left out. */
void rack_hosts_load_rack(struct rack_hosts *ret, const struct conf_node *rack);
/* Returns the text of a hosts.cfg. Owned by the caller. */
char *rack_hosts_text(const struct rack_hosts *r);
void rack_hosts_done(struct rack_hosts *r);
#define _cleanup_rack_hosts_ _cleanup_(rack_hosts_done)
