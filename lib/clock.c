/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/clock.h"

uint64_t clock_now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return timespec_ms(t);
}
