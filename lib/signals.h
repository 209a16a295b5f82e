/* SPDX-License-Identifier: Apache-2.0 */
/* The signals that end a long-running command, received through a descriptor. */
#pragma once

#include "lib/err.h"

#include <signal.h>

/*
 * Blocks SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup(1)) in the
 * process and returns a signalfd(2) for them, non-blocking and close-on-exec, or -1 with
 * a message.
 */
int signals_open(struct err *e) _must_check_;

/* Reads one signal from the descriptor. Returns its number, or 0 when there was none. */
int signals_read(int fd);

/* Unblocks SIGINT, once a signal is to end the command: from then on a SIGINT does what
 * it does elsewhere (lib/interrupt.h), as the second one. */
void signals_await_second(void);

/* Returns true while a SIGINT or SIGTERM waits to be read: a step that may take long then
 * ends early. */
bool signals_are_pending(void);

/* Reads one signal, which is to end the command. Returns true when there was one. */
bool signals_came(int fd);

/*
 * Blocks SIGPIPE in the calling thread, so that writing into a pipe without a reader
 * fails with EPIPE, as MSG_NOSIGNAL does for a socket. *ret_old is for
 * signals_restore_pipe().
 */
void signals_block_pipe(sigset_t *ret_old);

/* Discards a SIGPIPE that is pending and restores the thread's signal mask. */
void signals_restore_pipe(const sigset_t *old);
