/* SPDX-License-Identifier: Apache-2.0 */
/* Reads proc(5), "/proc/PID/stat". */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid, parent;
	uint64_t start; /* ticks after the machine's start */
};

/* Reads what is known of the process of that name in /proc. Returns false if there is
 * none. */
bool process_read(struct process *ret, const char *name);
