/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the files that units read with EnvironmentFile= (systemd.exec(5)), as `systemctl
 * show` would list them on a host: firstboot restarts a unit when one of them changes.
 * And finds the units that a unit follows: systemd restarts it with each of them.
 */
#pragma once

#include "builder/root/layer.h"

/* Returns true when unit_environment() may need the text of the base's file `path`. */
bool unit_environment_reads(const char *path);

/* Sets *ret to the absolute paths that the unit and its drop-ins name, owned by the
 * caller. Returns false when they are not known, because a file of the unit is not there
 * or cannot be read before the image is made. Only after layer_finish(). */
bool unit_environment(char ***ret, const struct index *base, const struct layer *l,
		      const char *unit);

/* Does the same for the units of its PartOf=, Requires= and BindsTo= (systemd.unit(5)).
 */
bool unit_follows(char ***ret, const struct index *base, const struct layer *l,
		  const char *unit);
