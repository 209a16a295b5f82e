/* SPDX-License-Identifier: Apache-2.0 */
/* http/status/index.html of a boot server. */
#pragma once

#include "pxe/tracker.h"

/*
 * Returns the page: one HTML file that needs no other and has no script. It shows the
 * rack as boxes, each of which links to the host's row with the reason of a failure and a
 * link to its report, hosts that need attention, and a table of all hosts. A browser
 * loads it again every `refresh_s` seconds. Texts of hosts are escaped. Owned by the
 * caller.
 */
char *status_page(const struct tracker *t, uint64_t now_ms, unsigned refresh_s);
