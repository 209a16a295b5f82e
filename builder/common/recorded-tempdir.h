/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder below $TMPDIR whose path is recorded in a file of the cache, so that the next
 * build removes the folder that a killed build left. The caller holds the lock of what
 * the folder is for.
 */
#pragma once

#include "lib/err.h"

/* Removes the folder that `record` names, makes "$TMPDIR/<name>.<random>", mode 0700, and
 * records it. *ret is owned by the caller. */
int recorded_tempdir_make(const char *record, const char *name, char **ret,
			  struct err *e) _must_check_;

/* Removes the folder (NULL: the one that `record` names) and the record. */
void recorded_tempdir_remove(const char *dir, const char *record);
