/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIVE_CFG records the settings that the running units were started with (libconfig, on a
 * tmpfs):
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
#include "firstboot/plan.h"

#define LIVE_CFG RUN_DIR "/live.cfg"

struct live {
	bool there;
	char *target;
	char **settings, **inputs;
};

void live_read(struct live *ret, const struct firstboot *fb);
int live_write(const struct firstboot *fb, const struct plan *p,
	       struct err *e) _must_check_;
void live_done(struct live *l);
#define _cleanup_live_ _cleanup_(live_done)

/*
 * Sets *ret to the units that must be restarted because the plan changes a setting that
 * they were started with: units of the role that read a changed file with
 * EnvironmentFile= or depend on a changed setting of a feature, all units that the
 * template of a changed file names, networkd, and the report. NULL when there is none.
 * Runs systemctl only when a setting changed. *ret is owned by the caller. Returns 0 or
 * -1.
 */
int live_stale(char ***ret, const struct live *l, const struct plan *p,
	       struct err *e) _must_check_;
