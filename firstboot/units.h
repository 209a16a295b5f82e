/* SPDX-License-Identifier: Apache-2.0 */
/* The state of systemd units. One call of systemctl reads all of them. */
#pragma once

#include "lib/err.h"

struct unit {
	char *name;               /* as given to units_query() */
	char *load;               /* LoadState: "loaded", "not-found", ... */
	char *active;             /* ActiveState */
	char *sub;                /* SubState */
	char *result;             /* Result */
	bool oneshot;             /* Type=oneshot */
	bool ran;                 /* its main process has ended at least once */
	bool remains;             /* RemainAfterExit=: it stays active after that */
	uint64_t active_since_us; /* CLOCK_MONOTONIC; 0: not active */
	uint64_t pid;             /* of its main or control process; 0: none */
	char **environment;       /* files of its EnvironmentFile= */
	char *command;            /* of that process; see unit_read_command() */
	char **log;               /* last lines, oldest first; see unit_read_log() */
};

struct units {
	struct unit *v;
	size_t n;
};

/* Runs `systemctl show` for these units. *ret is owned by the caller. Returns 0 or -1. */
int units_query(struct units *ret, char *const *names, struct err *e) _must_check_;

/* Parses the output of `systemctl show` for `names`, in their order. Returns 0 or -1. */
int units_parse(struct units *ret, char *const *names, const char *text,
		struct err *e) _must_check_;

/*
 * Returns true when the unit is active, and with RemainAfterExit= its program has ended
 * successfully; or when it is a oneshot unit whose program has ended successfully.
 */
bool unit_ready(const struct unit *u);

/* Returns the whole seconds that the unit has been active; 0 when it is not active. */
unsigned unit_active_s(const struct unit *u);

/* Returns true when the unit is in state failed, is not loaded, or will be restarted
 * after a failure; false when it is only starting. */
bool unit_failed(const struct unit *u);

/*
 * Returns a description: "etcd.service is activating (auto-restart)", with the result of
 * a failure, the command and the last log line when they were read. Owned by the caller.
 */
char *unit_text(const struct unit *u);

/* Sets u->command from /proc/PID/cmdline below rootfd, cleaned by line_clean() and cut to
 * UNIT_LOG_MAX bytes; leaves it NULL when there is no such process. */
void unit_read_command(struct unit *u, int rootfd);

/*
 * Sets u->log to the last lines, at most UNIT_LOG_LINES, that the unit's programs wrote
 * to the journal in this boot, cleaned by line_clean() and cut to UNIT_LOG_MAX bytes.
 * Leaves it NULL when there are none or the journal cannot be read.
 */
#define UNIT_LOG_LINES 5
#define UNIT_LOG_MAX   300
void unit_read_log(struct unit *u);

void units_done(struct units *u);
#define _cleanup_units_ _cleanup_(units_done)
