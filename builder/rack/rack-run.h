/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rack that runs: the machines, their boot server, and what is known about each.
 * rack-watch.c finds it out, rack-show.c shows it, cmd-rack.c holds it together.
 */
#pragma once

#include "builder/rack/rack-console.h"
#include "builder/rack/rack-vm.h"
#include "pxe/image.h"
#include "pxe/serve.h"
#include "pxe/status.h"

enum machine_state {
	MACHINE_PENDING,
	MACHINE_READY,
	MACHINE_FAILED,
};

struct machine {
	struct vm vm;
	const struct tree_host *host; /* in the boot server's tree */
	enum machine_state state;
	char *why;                 /* it failed */
	uint64_t on_ms;            /* when it was switched on, by rack_now_ms() */
	uint64_t first_ms;         /* from then to its first fetch, its boot script ... */
	uint64_t last_ms;          /* ... and to its last, its host.cpio; 0: not yet */
	uint64_t total_ms;         /* from then to its verdict */
	struct status_host status; /* its report, when it sent one */
	struct timespec reported;  /* the report's time: another one is a new report */
	struct console console;
	struct console qemu; /* what QEMU says */
};

struct rack_run {
	const struct rack *rack;
	const struct image *image;
	const char *dir;
	char *tree; /* DIR/tree */
	bool uefi;
	enum accel accel;
	bool only_kvm; /* no TCG instead when KVM gives up on a machine */
	uint64_t timeout_ms;
	struct machine *machines;
	size_t n;
	struct serve serve;
	int signals; /* signalfd */
};

/*
 * Follows the rack until every machine has a verdict, or, with `keep`, until Ctrl-C;
 * tells each step on standard error. A machine without a verdict after the timeout has
 * failed. 0, 1 when a signal ended it, -1 when the boot server died.
 */
int rack_watch(struct rack_run *r, bool keep, struct err *e) _must_check_;

/* Changes a machine's verdict. Takes `why`; NULL when it is ready. */
void machine_verdict(struct machine *m, enum machine_state state, char *why);

/* Returns milliseconds of CLOCK_MONOTONIC: setting the wall clock changes no timeout. */
uint64_t rack_now_ms(void);

/* The table and the JSON of `rackstrap rack`. Owned. */
char *rack_table(const struct rack_run *r);
char *rack_json(const struct rack_run *r);

/* Why each failed host did, with the end of its console, on standard error. */
void rack_tell_failures(const struct rack_run *r);

/* How to look into a rack that keeps running, on standard error. */
void rack_tell_how_to_look(const struct rack_run *r);

/* 0 when every host is ready, else -1 and which are not. */
int rack_result(const struct rack_run *r, struct err *e) _must_check_;
