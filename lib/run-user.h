/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes the user of a child before it executes its program (credentials(7),
 * capabilities(7)). A program that changes its user itself loses PR_SET_PDEATHSIG, and
 * outlives a parent that is killed.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct run_user {
	uid_t uid; /* not 0 */
	gid_t gid; /* its only group */
	/* Bits 1 << CAP_... that the program keeps, as far as this process has them. */
	uint32_t capabilities;
};

/* Makes this process, which must be root's, run as the user. Clears PR_SET_PDEATHSIG.
 * Returns 0 or -errno. Async-signal-safe. */
int run_become(const struct run_user *u);
