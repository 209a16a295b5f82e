/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Describes what happens on a boot server, one line per event: a machine that is not in
 * the rack asks for an address or a script, a host loads its boot script or its root
 * image, a host reports, a machine is refused a host's files or report. Made from the
 * servers' own logs.
 */
#pragma once

#include "lib/intern.h"
#include "pxe/access.h"
#include "pxe/dhcp-log.h"
#include "pxe/serve.h"
#include "pxe/status.h"

struct watch {
	const struct serve *s;
	struct tail access; /* nginx's log */
	struct dhcp_logs dhcp;
	struct intern reported; /* machines that were refused, each reported once */
	struct watch_reports {
		struct report_id *seen; /* of each host: the report described last */
		bool *waits;            /* of each host: it is in the queue */
		size_t *queue;          /* hosts whose reports are to be described */
		size_t first, n;        /* the queue is a ring */
		size_t left;            /* how many may be read in this turn */
	} reports;
};

/* Starts watching; what the logs say already is skipped. `s` must be open and outlive the
 * watch. */
void watch_open(struct watch *w, const struct serve *s);

/* Adopts the hosts that `s` has since its tree was read again. Events that were not
 * described yet are described as the new rack's; a report that waited in the queue is
 * forgotten. */
void watch_rack_changed(struct watch *w);

/* Begins a turn, in which at most WATCH_TURN bytes of each log and WATCH_REPORTS reports
 * are read: clients that fill the logs or send reports without end must not keep the
 * caller from everything else. Returns true if the turn before may have left something to
 * read. Before the first turn there is no limit. */
#define WATCH_TURN    (64 * 1024)
#define WATCH_REPORTS 16
bool watch_turn(struct watch *w);

/* Returns the next line, owned by the caller, or NULL if there is no event yet, or none
 * that may be read in this turn. */
char *watch_next(struct watch *w) _must_check_;
void watch_done(struct watch *w);
#define _cleanup_watch_ _cleanup_(watch_done)
