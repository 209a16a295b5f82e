/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about a folder that another user has made, as with and without sudo. */
#pragma once

#include "lib/err.h"

/* Checks that this user can make files in the folder. Returns true also for one that does
 * not exist, and false if a program with the user's rights in a namespace cannot. */
bool foreign_can_use(const char *dir);

/* Sets "<what> <dir> belongs to user 'root', and user 'me' cannot use it: <advice>".
 * Always returns -1. */
int foreign_err(const char *what, const char *dir, const char *advice, struct err *e);
