/* SPDX-License-Identifier: Apache-2.0 */
/* Functions shared by run.c and run-wait.c only. */
#pragma once

#include "lib/run.h"

/* Returns the time of CLOCK_MONOTONIC in milliseconds. */
uint64_t run_now_ms(void);

/* Returns the time left until `deadline` as a timeout for poll(2): 0 when it has passed,
 * -1 when `deadline` is 0, which means none. */
int run_remaining_ms(uint64_t deadline);

/* Frees the beginning of the standard error that is kept in memory, if it is large. */
void run_trim(struct child *c);
/* Returns the milliseconds until run_trim() must be called again or `deadline` is
 * reached, or -1 when neither comes. */
int run_trim_ms(const struct child *c, uint64_t deadline);

/* Kills a child that timed out and sets the error. Always returns -1. */
int run_timed_out(struct child *c, struct err *e);
