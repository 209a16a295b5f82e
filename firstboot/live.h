/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIVE_CFG has the record of the plan that the running units were started with
 * (libconfig, on a tmpfs; plan/stale.h):
 *
 *	target = "rackstrap-node.target";
 *	settings = [ "cbr0 192.168.1.1/24" ];   of features, with their names
 *	inputs = [ "etc/hostname 3f...", ... ]; files of the plan and their SHA-256
 *
 * It is written at the end of an apply, so that a later apply in the same boot finds all
 * changes even if one in between failed. At the first apply of a boot it does not exist,
 * because no unit of the host runs yet.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/plan/stale.h"

#define LIVE_CFG RUN_DIR "/live.cfg"

struct live {
	bool there;
	struct plan_record record;
};

void live_read(struct live *ret, const struct firstboot *fb);
int live_write(const struct firstboot *fb, const struct plan *p,
	       struct err *e) _must_check_;
void live_done(struct live *l);
#define _cleanup_live_ _cleanup_(live_done)

/* Sets *ret to the units that must be restarted, as plan_stale() returns them. Runs
 * systemctl, for the files that units read, only when a setting changed. Returns 0 or
 * -1. */
int live_stale(char ***ret, const struct live *l, const struct plan *p,
	       struct err *e) _must_check_;
