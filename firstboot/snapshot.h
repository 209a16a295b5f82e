/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the host: its configuration, the result of apply, its units and the
 * verdict. `firstboot report` sends it as JSON, `firstboot status` prints it.
 */
#pragma once

#include "firstboot/config.h"
#include "firstboot/state.h"
#include "firstboot/units.h"

struct snapshot {
	struct config config;
	struct boot_info boot;
	struct applied applied;
	struct units units; /* of the role; empty when nothing was started */
	struct verdict verdict;
	uint64_t generation; /* 0: never configured */
};

/* Reads everything except units and verdict. */
void snapshot_read(struct snapshot *ret, const struct firstboot *fb);
void snapshot_done(struct snapshot *s);
#define _cleanup_snapshot_ _cleanup_(snapshot_done)

/* Returns name and role, "node-1 (node)", as far as they are known. Owned by the
 * caller. */
char *snapshot_who(const struct snapshot *s);

/* Returns the report, one JSON object: see REPORT in firstboot(8). Owned by the
 * caller. */
char *snapshot_json(const struct snapshot *s);

/* Returns the state as text for a terminal. Owned by the caller. */
char *snapshot_text(const struct snapshot *s);
