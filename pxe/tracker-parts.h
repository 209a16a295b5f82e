/* SPDX-License-Identifier: Apache-2.0 */
/* Functions shared by tracker.c, tracker-flows.c and their tests only. */
#pragma once

#include "lib/tcp-flow.h"
#include "pxe/tracker.h"

/* Returns true and sets *ret to the host that has this address. */
bool tracker_find_address(struct tracker *t, uint32_t address, size_t *ret);

/* Adds what the web server's connections have sent since the last call to the bytes of
 * hosts that load. Does nothing if it was called just now, or if no host boots. */
void tracker_look_at_flows(struct tracker *t, uint64_t now_ms);

/* Does that with this list, which it takes over. */
void tracker_note_flows(struct tracker *t, struct tcp_flow *flows, size_t n,
			uint64_t now_ms);
