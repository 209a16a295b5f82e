/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a host's report, JSON that firstboot wrote. */
#pragma once

#include "lib/err.h"
#include "pxe/columns.h"

/* One phase of a boot; phases are in the order they happened. */
struct report_phase {
	char *name;  /* "kernel", "initramfs", "system", "firstboot", "units" */
	uint64_t ms; /* how long it took */
};

struct report {
	char *host, *role; /* NULL: it could not read its own configuration */
	char *address;     /* as in host.cfg; NULL: none */
	struct host_columns columns;
	char *verdict;       /* "ready", "failed" or "starting" */
	char *why;           /* when failed */
	char *config_sha256; /* of the effective configuration */
	char *boot_id;       /* /proc/sys/kernel/random/boot_id */
	uint64_t generation;
	uint64_t uptime_ms; /* from the kernel's start to the verdict */
	struct report_phase *phases;
	size_t n_phases;
	char **failed_units;
	char **warnings;   /* of firstboot and the boot script: at most 20 */
	char **last_lines; /* "UNIT: LINE", the last lines of units that are not
			    * ready, failed units first */
};

/* Parses a report, with at most `max_lines` last lines: 10 of a unit, and 300 bytes of
 * each. A unit's name has at most 255 bytes. Returns -1 with a message if the text is not
 * a report. */
#define REPORT_LINES_MAX 100
int report_parse(struct report *ret, const char *text, size_t len, size_t max_lines,
		 struct err *e) _must_check_;
void report_done(struct report *r);
#define _cleanup_report_ _cleanup_(report_done)
