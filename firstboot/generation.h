/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which configuration the host's files are, in two records of one form (libconfig):
 *
 *	generation = "3";         counts the configurations that this host has been
 *	plan_sha256 = "...";      of the plan, as --dry-run prints it
 *	config_sha256 = "...";    as in the report
 *	configuration : { ... };  every effective value
 *
 * GENERATION_CFG is the last one whose files are all in place. PROGRESS_CFG is there
 * from before the first file is touched until after the last: it is on the disk first,
 * and renaming it over GENERATION_CFG is what ends the work. A boot that finds it knows
 * that files of two configurations may be mixed, that temporaries may lie about, and
 * what was on the way. A rescue's (no `configuration`) stays until the host is
 * configured.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/plan.h"
#include "firstboot/sha256.h"

#define STATE_DIR      "var/lib/rackstrap"
#define GENERATION_CFG STATE_DIR "/generation.cfg"
#define PROGRESS_CFG   STATE_DIR "/in-progress.cfg"

struct generation {
	uint64_t number;         /* of this plan */
	char digest[DIGEST_LEN]; /* of this plan */
	bool same;               /* the complete one is this plan */
	bool cut;                /* an earlier run did not come to its end, ... */
	bool other;              /* ... and it was on the way to another plan */
	bool rescue;             /* ... which was only the way in of a wrong host */
};

/* Looks at the records, writes nothing but removes their own leftovers. */
int generation_look(struct generation *ret, const struct firstboot *fb,
		    const struct plan *p, struct err *e) _must_check_;

/* Before the first file is touched. */
int generation_begin(const struct generation *g, const struct firstboot *fb,
		     const struct plan *p, struct err *e) _must_check_;

/* When every file is in place. */
int generation_commit(const struct firstboot *fb, struct err *e) _must_check_;

/* The complete one's number, 0 when there is none. */
uint64_t generation_number(const struct firstboot *fb);
