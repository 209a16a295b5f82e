/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads rack.cfg(5), a cluster and its hosts. Every host becomes one `struct host` of the
 * host model (the cluster's values, then the host's own), which is checked by the same
 * code that runs on the node. Then the hosts are checked against each other.
 *
 *	cluster : {
 *		name = "demo";
 *		boot_server = "172.25.0.1";	# address that dnsmasq and nginx listen on
 *		master = "master";		# a host's name, or an address outside
 *		... any key of host.cfg, except those of a single host ...
 *	};
 *	hosts = ( { name, role, mac, address, cbr0, ... any key of host.cfg, except
 *		    those of the whole cluster ..., serial, uuid }, ... );
 *
 * and in both groups, for booting: cmdline, state_disk = "/dev/vda",
 * vm : { memory = "1536M"; cpus = 1; disk = "4G"; nics = 2; },
 * secrets (rack-secrets.h). Only the cluster has `strangers` (rack-strangers.h).
 *
 * An address without a prefix gets that of node_network. Unknown keys are errors.
 * rack-expand.h says how one entry describes many hosts.
 */
#pragma once

#include "firstboot/model/host.h"
#include "lib/intern.h"
#include "pxe/rack-secrets.h"
#include "pxe/rack-strangers.h"

struct rack_host {
	struct host host; /* loaded, derived, checked */
	const char *file; /* that has its entry: one of the rack's `files` */
	unsigned line;
	char *cmdline;       /* additional kernel words, or NULL */
	char *serial, *uuid; /* may identify the host's machine, or NULL */
	char *state_disk;    /* device that the node may use as its state disk if it is
			     * blank, "none" to keep state in memory, or NULL */
	uint64_t vm_memory;  /* bytes, for `rackstrap rack` */
	unsigned vm_cpus;
	uint64_t vm_disk; /* bytes of a blank second disk; 0: none */
	unsigned vm_nics; /* network cards; 0: as many as its bond needs, or 1 */
	size_t *secrets;  /* indices of the rack's secrets that it gets */
	size_t n_secrets;
};

/* A DHCP server of a pair, and the port at which the other one asks for its state. */
struct rack_dhcp_server {
	uint32_t address;
	uint16_t port;
};

struct rack {
	char *file;
	struct intern files; /* names of the files that have hosts' entries */
	char *name;
	uint32_t boot_server;
	bool any_roles; /* no image or recipe was asked for its roles */
	struct rack_dhcp_server dhcp_servers[2]; /* the first answers */
	size_t n_dhcp_servers;                   /* 0 or 2 */
	struct cidr network; /* node_network, or that of the first host in whose network
			      * the boot server is, or of the first host; prefix 0: no
			      * host has a fixed address */
	struct rack_host *hosts;
	size_t n_hosts;
	struct rack_secrets secrets;
	struct rack_strangers strangers;
};

/* Returns the pair of DHCP servers, "172.25.0.1:8000, 172.25.0.2:8000", or NULL. Owned by
 * the caller. */
char *rack_dhcp_servers_text(const struct rack *r);

/* Loads and checks the file, and reads the files of its secrets (rack-settings.h has the
 * steps). Returns 0, or -1 with every complaint in `d`. */
int rack_load(struct rack *ret, const char *path, const struct roles *roles,
	      struct diag *d) _must_check_;

/* Does the same with a text, without reading secrets or tables; messages call it
 * `name`, `flags` are conf_flags. */
int rack_parse(struct rack *ret, const char *text, size_t len, const char *name,
	       unsigned flags, const struct roles *roles, struct diag *d) _must_check_;
/* Adds a warning for what is allowed, but seldom meant, and folds those that are alike
 * (rack-fold.h); rack_warn_keys() only for hosts without ssh_keys. rack_warn() logs all
 * warnings. */
void rack_warnings(const struct rack *r, struct diag *d);
void rack_warn_keys(const struct rack *r, struct diag *d);
void rack_warn(const struct rack *r);
void rack_done(struct rack *r);

/* Returns the place of the host's entry; its file is the rack's. */
struct diag_place rack_host_place(const struct rack_host *h);
/* Writes it to `out`, "FILE:LINE". Returns `out`. */
const char *rack_host_where(const struct rack_host *h, char *out, size_t size);
#define _cleanup_rack_ _cleanup_(rack_done)
