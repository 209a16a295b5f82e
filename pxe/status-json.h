/* SPDX-License-Identifier: Apache-2.0 */
/* http/status/status.json of a boot server. status.h has that of `rackstrap status`. */
#pragma once

#include "pxe/tracker.h"

/*
 * Returns the present state of all hosts as JSON: an object with "format" (1), "rack",
 * "image", "time" (seconds since the epoch), "states" (the number of hosts by state) and
 * "hosts", a list of objects with the members that `status --json` has, "state", "heard"
 * (seconds since the epoch, or null) and, while a host loads its image,
 * "loaded_percent". Owned by the caller.
 */
char *status_live_json(const struct tracker *t, uint64_t now_ms);
