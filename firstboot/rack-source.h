/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads this machine's entry from a rack.cfg(5) on the boot medium, so that one stick
 * serves a whole rack. The rack is checked on the operator's machine (pxe/rack.c); here
 * only the cluster group and the one entry are read, and the resulting host is checked
 * like any other.
 */
#pragma once

#include "firstboot/machine-id.h"
#include "firstboot/model/conf.h"
#include "firstboot/model/host.h"

/*
 * Finds the entry of `hosts` for this machine: by `mac`, else by `serial`, else by
 * `uuid`. Of two entries by `mac` it is the one that has the serial or UUID too. Returns
 * 1 and sets *ret, 0 when there is none, or -1 with a complaint when two entries match.
 * Warns about other entries that have the serial or UUID.
 */
int rack_source_find(const struct conf_node *hosts, const struct machine_id *m,
		     const struct conf_node **ret, struct diag *d,
		     struct diag *warnings) _must_check_;

/*
 * Waits until the links that the kernel has decide which entry of the file `path` is this
 * machine's, at most fb->link_timeout: an entry with one of its MAC addresses does at
 * once, one with its serial or UUID when links_settled(). Returns at once when there is
 * no such file or it has no hosts. It is called once before the sources are
 * loaded, because each of them may be loaded several times.
 */
void rack_source_wait(const struct firstboot *fb, const char *path);

/*
 * Loads this machine's entry from the file `path`, called `name` in complaints, without
 * waiting. Returns 1, 0 when there is no such file, or -1 with complaints, also when no
 * entry matches.
 */
int rack_source_load(const struct firstboot *fb, const char *path, const char *name,
		     struct host *h, struct diag *d, struct diag *warnings) _must_check_;
