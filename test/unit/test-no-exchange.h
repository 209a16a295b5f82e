/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces renameat2() and rename() of the C library to imitate a file system that cannot
 * exchange two names, and a program that is killed between two renames.
 */
#pragma once

#include "lib/cleanup.h"

#include <fcntl.h>
#include <sys/syscall.h>

/* The rename after `renames_left` more fails; with `killed`, all later ones fail as
 * well. */
static bool no_exchange, killed;
static int renames_left = 100;

static inline void exchange_again(void)
{
	no_exchange = killed = false;
	renames_left = 100;
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	if (!no_exchange)
		return (int)syscall(SYS_renameat2, from, old, to, new, flags);
	errno = EINVAL;
	return -1;
}

int rename(const char *old, const char *new)
{
	renames_left--;
	if (renames_left == -1 || (renames_left < -1 && killed)) {
		errno = EIO;
		return -1;
	}
	return renameat(AT_FDCWD, old, AT_FDCWD, new);
}
