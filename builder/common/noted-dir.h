/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder below $TMPDIR that a file in the cache, the note, remembers: what a killed
 * build left, the next one removes. Whoever makes it holds the lock of what it is for.
 */
#pragma once

#include "lib/err.h"

/* Removes what the note names and makes "$TMPDIR/<name>.<random>", 0700. *ret is
 * owned. */
int noted_dir_make(const char *note, const char *name, char **ret,
		   struct err *e) _must_check_;

/* Removes the folder (NULL: the one that the note names) and the note. */
void noted_dir_remove(const char *dir, const char *note);
