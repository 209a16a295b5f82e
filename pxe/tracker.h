/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The present state of every host of a tree, made from what the boot server has: the
 * reports, nginx's access log, dnsmasq's log, and the connections of nginx if it runs on
 * this machine. They only say what a host asked for and what it says of itself.
 * `rackstrap serve` makes its status page and metrics from it, `rackstrap status --watch`
 * its lines.
 *
 * A host that asks for its boot script begins a new boot, which makes its earlier report
 * one of the boot before. A DHCP request counts only for a host that was never heard of
 * otherwise, because running hosts ask for their address too.
 */
#pragma once

#include "lib/intern.h"
#include "pxe/access.h"
#include "pxe/dhcp-log.h"
#include "pxe/status.h"

enum tracker_state {
	TRACKER_SILENT,  /* never heard of */
	TRACKER_ASKED,   /* for an address or its boot script */
	TRACKER_LOADING, /* kernel, initrd and root image */
	TRACKER_KERNEL,  /* it has all of them, and has not reported yet */
	TRACKER_UNITS,   /* the units of its role start */
	TRACKER_READY,
	TRACKER_FAILED,
	TRACKER_BROKEN, /* its report cannot be read */
};
#define TRACKER_STATES (TRACKER_BROKEN + 1)

/* A host that boots and was not heard of for so long is shown as silent. Its units may
 * take longer. */
#define TRACKER_STALLED_MS (300 * 1000)

/* The last boot of a host. Times are milliseconds since the epoch, 0: never. */
struct tracker_boot {
	uint64_t asked_ms;     /* for its boot script, or else for an address */
	uint64_t loaded_ms;    /* when it had the root image */
	uint64_t heard_ms;     /* its last request */
	uint64_t bytes, total; /* loaded of its image in whole files, its size */
	uint64_t sent;    /* by connections of the web server, a part of a file too */
	uint32_t address; /* that it has, or had at its last boot; 0: not known */
	struct report_id known; /* the report in `status` */
	bool due;               /* its report is to be read */
};

/* Requests in the access log since tracker_open(). */
enum tracker_kind {
	TRACKER_SCRIPT,    /* boot scripts */
	TRACKER_HOST_FILE, /* archives with host.cfg */
	TRACKER_IMAGE,     /* kernel, initrd and root image */
	TRACKER_REPORT,
};
#define TRACKER_KINDS (TRACKER_REPORT + 1)

struct tracker_count {
	uint64_t ok, refused; /* requests: with a status below 400, and others */
	uint64_t bytes;
};

struct tracker {
	char *dir;                    /* the tree */
	const struct tree_info *info; /* not owned */
	struct status status;         /* with a host for each of info->hosts */
	struct tracker_boot *boots;   /* with as many */
	struct tracker_count counts[TRACKER_KINDS];
	uint64_t changes; /* grows when anything that is shown has changed */
	uint64_t opened_ms;

	/* The rest is the tracker's own. */
	struct tail access;
	struct dhcp_logs dhcp;
	struct tracker_key {
		uint64_t key;
		size_t host;
	} * by_mac, *by_address; /* sorted by key */
	bool addresses_changed;  /* by_address must be sorted again */
	struct intern names;
	size_t *queue, first, queued; /* hosts whose reports are due, a ring */
	size_t next;                  /* whose report is looked at next */
	char *image;                  /* id of the image of `image_bytes` */
	uint64_t image_bytes;
	struct tcp_flow *flows; /* at the last look, sorted by id */
	size_t n_flows;
	uint64_t next_look_ms; /* by CLOCK_MONOTONIC */
};

/* Reads all reports of the tree `dir` and what its logs have. `info` is the tree's and
 * must outlive the tracker. `now_ms` is the time, since the epoch. */
void tracker_open(struct tracker *ret, const char *dir, const struct tree_info *info,
		  uint64_t now_ms);
void tracker_done(struct tracker *t);
#define _cleanup_tracker_ _cleanup_(tracker_done)

/* Reads what the logs have since, and the reports that arrived: a limited number of
 * bytes and reports in a turn, because anybody can write to the logs. Looks for reports
 * that are in no log as well, at some hosts in each turn. Returns true if something may
 * be left to read. */
bool tracker_turn(struct tracker *t, uint64_t now_ms);

enum tracker_state tracker_state(const struct tracker *t, size_t host);
/* Returns the name of a state: "loading". */
const char *tracker_state_name(enum tracker_state state);

/* Returns how much of its image a host in the state "loading" has, from 0 to 99. */
unsigned tracker_percent(const struct tracker *t, size_t host);

/* Returns when the host was last heard of, as a request or a report, or 0. */
uint64_t tracker_heard_ms(const struct tracker *t, size_t host);

/* Returns true if a host that boots was not heard of for TRACKER_STALLED_MS. */
bool tracker_is_stalled(const struct tracker *t, size_t host, uint64_t now_ms);

/* Returns what the host does, "loading 43 %", "failed: no route to 10.0.0.1", "kernel,
 * silent for 6 min". Owned by the caller. */
char *tracker_text(const struct tracker *t, size_t host, uint64_t now_ms);

/* Returns an age: "5 s", "3 min", "2 h" or "4 d". Owned by the caller. */
char *tracker_age(uint64_t then_ms, uint64_t now_ms);

/* Counts the hosts by state. */
void tracker_count(const struct tracker *t, size_t ret[static TRACKER_STATES]);
