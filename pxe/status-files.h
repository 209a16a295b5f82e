/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder http/status of a served tree: index.html (status-page.h), status.json
 * (status-json.h) and metrics (status-metrics.h), each written whole under another name
 * and renamed. It belongs to the owner of the tree; the servers only read it.
 */
#pragma once

#include "pxe/tracker.h"

#define TREE_STATUS "http/status"

struct status_files {
	struct tracker tracker;
	uint64_t written_ms; /* 0: not yet */
	uint64_t took_ms;    /* to make and write them, the last time */
	uint64_t changes;    /* tracker.changes when they were written */
	bool fault;          /* they could not be written, and that was logged */
};

/* Reads the tree and its logs, and writes the files. See tracker_open(). */
void status_files_open(struct status_files *ret, const char *dir,
		       const struct tree_info *info, uint64_t now_ms);
void status_files_done(struct status_files *f);
#define _cleanup_status_files_ _cleanup_(status_files_done)

/* Takes a turn of the tracker and writes the files when it is time: soon after a change,
 * and otherwise now and then, because they have ages; more seldom the longer it takes.
 * Logs once that they cannot be written. Returns true if the turn left something. */
bool status_files_turn(struct status_files *f, uint64_t now_ms);

/* Writes the files of a tracker, for a browser that loads the page again every
 * `refresh_s` seconds. Returns 0 or -errno. */
int status_files_write(const struct tracker *t, uint64_t now_ms,
		       unsigned refresh_s) _must_check_;

/* Returns the pause between two loads of the page of `n` hosts. */
unsigned status_files_refresh_s(size_t n);
