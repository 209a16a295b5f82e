/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs now was started with, in LIVE_CFG (libconfig, gone at a reboot):
 *
 *	target = "rackstrap-node.target";
 *	cbr0 = "192.168.1.1/24";                the bridge Docker was started on, or ""
 *	inputs = [ "etc/hostname 3f...", ... ]; files of the plan and their SHA-256
 *
 * It is written when everything of an apply is done, so a later one in the same boot
 * finds what it has to do even when one in between did not come to its end. At the first
 * apply of a boot there is none: nothing of the host's runs yet.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/plan.h"

#define LIVE_CFG RUN_DIR "/live.cfg"

struct live {
	bool there;
	char *target, *cbr0;
	char **inputs;
};

void live_read(struct live *ret, const struct firstboot *fb);
int live_write(const struct firstboot *fb, const struct plan *p,
	       struct err *e) _must_check_;
void live_done(struct live *l);
#define _cleanup_live_ _cleanup_(live_done)

/*
 * The units that were started with something that the plan changes, each once: those of
 * the role that read a file with EnvironmentFile=, Docker when its bridge has another
 * address, Calico when the host has another name, networkd, the report. NULL: none.
 * Asks systemctl only when something changed. Owned by the caller.
 */
int live_stale(char ***ret, const struct live *l, const struct plan *p,
	       struct err *e) _must_check_;
