/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reports of a tree's hosts (also of hosts that have not reported), or those in a
 * folder that is not a tree, as the table and the JSON of `rackstrap status`.
 */
#pragma once

#include "pxe/host-report.h"
#include "pxe/image.h"
#include "pxe/tree.h"

#include <time.h>

enum status_verdict {
	STATUS_SILENT,   /* no report yet */
	STATUS_STARTING, /* its units start: neither ready nor failed */
	STATUS_READY,
	STATUS_FAILED,
	STATUS_BROKEN, /* its report cannot be read */
};

/* Returns its name: "silent". */
const char *status_verdict_name(enum status_verdict v);

struct status_host {
	char *name, *role, *address; /* NULL: not known, or none */
	struct host_columns columns;
	enum status_verdict verdict;
	char *why;                /* reason for "failed" or "broken", else NULL */
	struct report report;     /* zero if silent or broken */
	struct timespec reported; /* when its report arrived, 0: never */
};

struct status {
	char *rack; /* NULL for a folder of reports */
	struct status_host *hosts;
	size_t n;
};

/* Reads the reports in `dir`: a boot tree, the folder of a rack (`rackstrap rack`), which
 * has one, or a folder of reports (*.json). */
int status_load(struct status *ret, const char *dir, struct err *e) _must_check_;
void status_done(struct status *s);
#define _cleanup_status_ _cleanup_(status_done)

#define STATUS_PHASES_MAX 16 /* of all hosts' phases, those that are shown */

/* Reads the current report of one host of a tree, with at most `max_lines` last lines of
 * its units; `dir` is the tree. */
void status_load_host(struct status_host *ret, const char *dir, const struct tree_host *h,
		      size_t max_lines);
void status_host_done(struct status_host *h);

/* Identifies a report. Initialise it with zeros. */
struct report_id {
	ino_t ino;
	off_t size;
	struct timespec changed; /* a host can set the modification time, but not this */
};

/* Returns true if the tree has a report of the host that is not the one of *id, which is
 * set to it. */
bool report_changed(struct report_id *id, const char *dir, const char *host);

/* Returns the title of a phase's column, as `rackstrap rack` has it too: "INITRD" for
 * "initramfs". Owned by the caller. */
char *status_phase_title(const char *name);

/* Appends the table (HOST, ROLE, ADDRESS, the columns of features, seconds of each phase,
 * UPTIME, VERDICT, AGE), then one line "HOST: WHY" for every host that failed, and one
 * line "HOST: warning: TEXT" for every warning in a report. */
void status_table(const struct status *s, time_t now, struct buf *out);

/* Returns the same as JSON. Owned by the caller. */
char *status_json(const struct status *s, time_t now);

/* Returns 0 if every host is ready, else -1 with the names of those that are not. */
int status_verdict(const struct status *s, struct err *e) _must_check_;
