/* SPDX-License-Identifier: Apache-2.0 */
/* What `rackstrap check` prints of a rack file without mistakes. */
#pragma once

#include "pxe/rack-settings.h"

/* Prints a rack.cfg that says the same, with an entry for each host, without profiles,
 * tables and files that are included. Names of secrets' files are relative to the folder
 * of the rack file, or absolute. */
void check_show_expanded(const struct rack_settings *s);

/* Prints every value of the host of that name, with the place that it is from, as
 * `firstboot explain` does. `r` was loaded from the settings. Returns 0, or -1 when there
 * is no such host. */
int check_show_host(const struct rack_settings *s, const struct rack *r, const char *name,
		    struct err *e) _must_check_;
