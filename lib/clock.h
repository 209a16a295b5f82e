/* SPDX-License-Identifier: Apache-2.0 */
/* Times in milliseconds, of the clocks of clock_gettime(2). */
#pragma once

#include <stdint.h>
#include <time.h>

/* Returns the time of the clock. Async-signal-safe. */
uint64_t clock_now_ms(clockid_t clock);

/* Returns a time that is not before the clock's zero, in milliseconds. */
static inline uint64_t timespec_ms(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
