/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running rack: its machines, their states, and their boot server. cmd-rack.c starts
 * it, rack-watch.c follows it, rack-show.c shows the result.
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
	char *why;         /* reason for MACHINE_FAILED, else NULL */
	uint64_t on_ms;    /* when it was switched on, by rack_now_ms() */
	uint64_t first_ms; /* from on_ms to its first fetch, its boot script */
	uint64_t last_ms;  /* from on_ms to its last fetch, its host.cpio; 0: not yet */
	uint64_t total_ms; /* from on_ms to its verdict */
	struct status_host status; /* from its report; zero if it sent none */
	struct report_id reported; /* that report */
	struct console console;
	struct console qemu; /* QEMU's messages */
};

struct rack_run {
	const struct rack *rack;
	const struct image *image;
	const char *dir;
	char *tree; /* DIR/tree */
	bool uefi;
	enum accel accel;
	bool only_kvm; /* do not restart a machine under TCG if KVM fails */
	uint64_t timeout_ms;
	struct machine *machines;
	size_t n;
	struct serve serve;
	int signals;                /* signalfd */
	const char *const *program; /* argument vector of --run, NULL: none */
	int program_fd;             /* readable when it has ended; -1: it does not run */
	struct follower *follower;  /* see rack_watch_open() */
};

/* Opens the logs and reports of the boot server at their present end. It is called before
 * a machine is started, and rack_watch() as often as needed afterwards: no event between
 * two calls is missed. rack_watch_done() is called also after a failure. */
int rack_watch_open(struct rack_run *r, struct err *e) _must_check_;
void rack_watch_done(struct rack_run *r);

/*
 * Follows the rack until every machine has a verdict, or, with `keep`, until a signal
 * arrives or the program ends, and logs each step. A machine without a verdict after the
 * timeout has failed. Returns 0, 1 if a signal arrived, or -1 if the boot server ended.
 */
int rack_watch(struct rack_run *r, bool keep, struct err *e) _must_check_;

/* Changes a machine's verdict. Takes ownership of `why`, which is NULL if it is ready. */
void machine_verdict(struct machine *m, enum machine_state state, char *why);

/* Returns milliseconds of CLOCK_MONOTONIC: setting the wall clock changes no timeout. */
uint64_t rack_now_ms(void);

/* Return the table and the JSON of `rackstrap rack`. Owned by the caller. */
char *rack_table(const struct rack_run *r);
char *rack_json(const struct rack_run *r);

/* Logs the warnings in the reports, and why each failed host failed, with the last lines
 * of its console. */
void rack_log_problems(const struct rack_run *r);

/* Logs how to reach the machines of a rack that keeps running. */
void rack_log_access(const struct rack_run *r);

/* Returns 0 if every host is ready, else -1 with the names of those that are not. */
int rack_result(const struct rack_run *r, struct err *e) _must_check_;
