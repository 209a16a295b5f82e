/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two records of the configuration that the host's files were written for (libconfig):
 *
 *	generation = "3";         number of this configuration on this host, from 1
 *	plan_sha256 = "...";      of the plan, as --dry-run prints it
 *	config_sha256 = "...";    as in the report
 *	directories = [ ... ];    those that firstboot has made for its files
 *	rendered = [ ... ];       "PATH SHA256" of the files from templates
 *	configuration : { ... };  every effective value
 *
 * GENERATION_CFG is the last configuration whose files were all written. PROGRESS_CFG is
 * written and synced before the first file is changed, and renamed to GENERATION_CFG
 * after the last. A boot that finds PROGRESS_CFG knows that files of two configurations
 * may be mixed, that temporary files may be left, and which configuration was being
 * written. That of rescue mode, which has no `configuration`, remains until the host is
 * configured.
 *
 * PROGRESS_CFG lists a directory before it is made, and until the configuration that has
 * no file in it is complete.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/sha256.h"
#include "firstboot/plan/plan.h"
#include "lib/intern.h"

#define STATE_DIR       "var/lib/rackstrap"
#define GENERATION_NAME "generation.cfg"
#define GENERATION_CFG  STATE_DIR "/" GENERATION_NAME
#define PROGRESS_CFG    STATE_DIR "/in-progress.cfg"

struct generation {
	uint64_t number;         /* of this plan */
	char digest[DIGEST_LEN]; /* of this plan */
	bool same;               /* the complete generation has this plan */
	bool interrupted;        /* an earlier run did not finish; then: */
	bool other;              /* it was writing another plan */
	bool rescue;             /* it was in rescue mode */
	struct intern dirs;      /* directories that firstboot has made */
	struct intern rendered;  /* files from templates, as in the record */
};
void generation_done(struct generation *g);
#define _cleanup_generation_ _cleanup_(generation_done)

/* Reads the records and removes their temporary files. *ret is the caller's to empty,
 * also after a failure. */
int generation_read(struct generation *ret, const struct firstboot *fb,
		    const struct plan *p, struct err *e) _must_check_;

/* Adds the plan's directories that do not exist to g->dirs and its files from templates
 * to g->rendered, and writes PROGRESS_CFG; to be called before the first file is
 * changed. */
int generation_begin(struct generation *g, const struct firstboot *fb,
		     const struct plan *p, struct err *e) _must_check_;

/* Returns true when a file has the bytes that a generation wrote from a template. */
bool generation_has_rendered(const struct generation *g, const struct firstboot *fb,
			     const char *path);

/* Removes directories without a file of the plan from g->dirs, and the files that the
 * plan does not have from g->rendered, and renames PROGRESS_CFG to GENERATION_CFG; to be
 * called after the last file was written. */
int generation_commit(struct generation *g, const struct firstboot *fb,
		      const struct plan *p, struct err *e) _must_check_;

/* Returns the number of the complete generation, 0 when there is none. */
uint64_t generation_number(const struct firstboot *fb);
