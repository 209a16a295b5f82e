/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends a program at any instant on SIGINT, SIGTERM, SIGHUP and SIGPIPE: every process
 * that it started since interrupt_enable() gets SIGTERM, a little later SIGKILL, and is
 * waited for; its scratch folders are removed, and it exits with ERR_INTERRUPTED and one
 * line that says in what it was interrupted and what stays. After SIGPIPE it prints
 * nothing, and ends by that signal. A signal that was ignored when the program started
 * stays ignored (nohup(1)).
 *
 * A second SIGINT ends it without waiting. SIGTERM and SIGHUP do not: timeout(1) and
 * shells send them twice.
 *
 * While such a signal is blocked (lib/signals.h) it is left to the program.
 */
#pragma once

#include "lib/err.h"

/* Installs the handlers. `command` is for the message. */
void interrupt_enable(const char *command);
/* Gives the signals their default dispositions again. */
void interrupt_disable(void);

/* Copy the texts of the message, or NULL for none. `stage` is what the program is doing,
 * as in "making the base"; `kept` is what stays, as in "the downloads stay in the
 * cache". */
void interrupt_set_stage(const char *stage);
void interrupt_set_kept(const char *kept);
/* Sets the number of progress lines on the terminal, which the message replaces. */
void interrupt_set_lines(unsigned n);

/*
 * Returns 0 when this command line is not one that a handler has executed. Otherwise ends
 * the children, calls `sweep`, and returns -1 with `e` set.
 */
int interrupt_finish(int argc, char **argv, void (*sweep)(void),
		     struct err *e) _must_check_;
