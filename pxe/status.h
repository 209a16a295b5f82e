/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who reported what: a tree's hosts (all of them, reported or not) or the reports of a
 * bare folder, as the table and the JSON of `rackstrap status` and `rackstrap rack`.
 */
#pragma once

#include "pxe/image.h"
#include "pxe/tree.h"

#include <time.h>

enum status_verdict {
	STATUS_SILENT, /* no report yet */
	STATUS_READY,
	STATUS_FAILED,
	STATUS_BROKEN, /* its report cannot be read */
};

struct status_host {
	char *name, *role, *address, *cbr0; /* NULL: not known, or none */
	enum status_verdict verdict;
	char *why;            /* it failed, or its report is broken, without control
			       * characters; else NULL */
	struct report report; /* zero unless ready or failed */
	time_t reported;      /* when its report came; 0: never */
};

struct status {
	char *rack; /* NULL for a bare folder */
	struct status_host *hosts;
	size_t n;
};

/* `dir`: a boot tree, or a folder of reports (*.json). */
int status_load(struct status *ret, const char *dir, struct err *e) _must_check_;
void status_done(struct status *s);
#define _cleanup_status_ _cleanup_(status_done)

/* As status_load, of one host of a tree: its report as it is now. */
void status_load_host(struct status_host *ret, const char *dir,
		      const struct tree_host *h);
void status_host_done(struct status_host *h);

/* host, role, address, cbr0, seconds of each phase, uptime, verdict, age; then one line
 * "HOST: WHY" for every host that failed. */
void status_table(const struct status *s, time_t now, struct buf *out);
char *status_json(const struct status *s, time_t now);

/* 0 when every host is ready, else -1 and who is not. */
int status_verdict(const struct status *s, struct err *e) _must_check_;
