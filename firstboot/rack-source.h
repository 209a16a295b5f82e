/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This machine's entry in a rack.cfg(5) that the boot medium holds: one stick serves a
 * rack. The whole rack is checked on the operator's machine (pxe/rack.c); here only the
 * cluster group and the one entry count, and the host they make is checked like any.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/rack-entry.h"

/* What a machine can be known by. Owned. */
struct machine_id {
	char *serial, *uuid; /* from SMBIOS; NULL: it has none */
	struct mac *macs;    /* of its physical links */
	size_t n_macs;
};

/* What the kernel knows by now: a driver may still be probing. */
void machine_id_read(struct machine_id *ret, int rootfd);
void machine_id_done(struct machine_id *m);
#define _cleanup_machine_id_ _cleanup_(machine_id_done)

/*
 * The entry of `hosts` for this machine: by `serial`, else by `uuid`, else by `mac`. 1:
 * *ret is set. 0: there is none. -1: two match by the same, complained about.
 */
int rack_source_find(const struct conf_node *hosts, const struct machine_id *m,
		     const struct conf_node **ret, struct diag *d) _must_check_;

/*
 * All of it, for the file `path`, called `name` in complaints; waits for links until
 * fb->link_timeout when no entry is found by what is there. 1, 0 (no such file), -1 (also
 * when no entry is this machine's).
 */
int rack_source_load(const struct firstboot *fb, const char *path, const char *name,
		     struct host *h, struct diag *d) _must_check_;
