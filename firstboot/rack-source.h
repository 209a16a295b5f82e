/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads this machine's entry from a rack.cfg(5) on the boot medium, so that one stick
 * serves a whole rack. The rack is checked on the operator's machine (pxe/rack.c); here
 * only the cluster group and the one entry are read, and the resulting host is checked
 * like any other.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/rack-entry.h"

/* Values that identify a machine, owned. */
struct machine_id {
	char *serial, *uuid; /* from SMBIOS, or NULL */
	struct mac *macs;    /* of its physical links */
	size_t n_macs;
};

/* Reads the values that the kernel has now; a driver may still be loading. */
void machine_id_read(struct machine_id *ret, int rootfd);
void machine_id_done(struct machine_id *m);
#define _cleanup_machine_id_ _cleanup_(machine_id_done)

/*
 * Finds the entry of `hosts` for this machine: by `serial`, else by `uuid`, else by
 * `mac`. Returns 1 and sets *ret, 0 when there is none, or -1 with a complaint when two
 * entries match by the same key.
 */
int rack_source_find(const struct conf_node *hosts, const struct machine_id *m,
		     const struct conf_node **ret, struct diag *d) _must_check_;

/*
 * Loads this machine's entry from the file `path`, called `name` in complaints. When no
 * entry matches, waits up to fb->link_timeout for more links. Returns 1, 0 when there is
 * no such file, or -1 with complaints, also when no entry matches.
 */
int rack_source_load(const struct firstboot *fb, const char *path, const char *name,
		     struct host *h, struct diag *d) _must_check_;
