/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the host stands: its configuration, what apply made of it, its units, the verdict.
 * report PUTs it as JSON, status shows it to a human.
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

/* Everything but units and verdict. */
void snapshot_read(struct snapshot *ret, const struct firstboot *fb);
void snapshot_done(struct snapshot *s);
#define _cleanup_snapshot_ _cleanup_(snapshot_done)

/* "node-1 (node)", as far as known. Owned by the caller. */
char *snapshot_who(const struct snapshot *s);

/* The report: one JSON object, see firstboot(8), REPORT. Owned by the caller. */
char *snapshot_json(const struct snapshot *s);

/* For a terminal. Owned by the caller. */
char *snapshot_text(const struct snapshot *s);
