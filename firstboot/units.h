/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd says about units, all of them in one call of systemctl. */
#pragma once

#include "lib/err.h"

struct unit {
	char *name;               /* as asked for */
	char *load;               /* LoadState: "loaded", "not-found", ... */
	char *active;             /* ActiveState */
	char *sub;                /* SubState */
	char *result;             /* Result */
	bool oneshot;             /* Type=oneshot */
	bool ran;                 /* its main process has run to its end at least once */
	bool remains;             /* RemainAfterExit=: what it does is done at its end */
	uint64_t active_since_us; /* CLOCK_MONOTONIC; 0: not active */
	uint64_t pid;             /* of its main or control process; 0: none */
	char **environment;       /* files of its EnvironmentFile= */
	char *command;            /* of that process; unit_read_command() */
	char **log;               /* what it said last, oldest first; unit_read_log() */
};

struct units {
	struct unit *v;
	size_t n;
};

/* Reads `systemctl show` of these units' properties. Owned by the caller. */
int units_query(struct units *ret, char *const *names, struct err *e) _must_check_;

/* What `systemctl show` printed for `names`, in their order. */
int units_parse(struct units *ret, char *const *names, const char *text,
		struct err *e) _must_check_;

/*
 * Whether it does what it is for: it is active, and its program has ended (well, or it
 * would not be active) if it is one that stays "active" after that; or it is a oneshot
 * that has run and succeeded.
 */
bool unit_ready(const struct unit *u);

/* Returns for how many whole seconds the unit has been active; 0 when it is not. */
unsigned unit_active_s(const struct unit *u);

/* Returns whether it has failed, as opposed to being on its way: it is in state failed,
 * is not loaded, or is to be restarted after a failure. */
bool unit_failed(const struct unit *u);

/*
 * "etcd.service is activating (auto-restart)" and the result when that tells more; what
 * it is waiting for when its command was read; the last line of its log when that was.
 * Owned by the caller.
 */
char *unit_text(const struct unit *u);

/* Fills u->command from /proc/PID/cmdline below rootfd, printable and cut to UNIT_LOG_MAX
 * characters; leaves it NULL when there is no such process. */
void unit_read_command(struct unit *u, int rootfd);

/*
 * Fills u->log with the last lines of this boot that the unit's own programs wrote to the
 * journal, at most UNIT_LOG_LINES, printable and cut to UNIT_LOG_MAX characters. Leaves
 * it empty when the journal has none, or none is to be had.
 */
#define UNIT_LOG_LINES 5
#define UNIT_LOG_MAX   300
void unit_read_log(struct unit *u);

void units_done(struct units *u);
#define _cleanup_units_ _cleanup_(units_done)
