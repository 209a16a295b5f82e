/* SPDX-License-Identifier: Apache-2.0 */
/* What run.c and run-wait.c share; nobody else's. */
#pragma once

#include "lib/run.h"

/* CLOCK_MONOTONIC. */
uint64_t run_now_ms(void);

/* The time to a deadline as poll(2) takes it: -1 for none (0), 0 when it is over. */
int run_remaining_ms(uint64_t deadline);

/* Ends a child whose time is up and says so. Always -1. */
int run_timed_out(struct child *c, struct err *e);
