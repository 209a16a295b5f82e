/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files without a name, in $TMPDIR, else /var/tmp: for data that may be too
 * large for memory, where a /tmp often is. */
#pragma once

#include "lib/err.h"

/* Returns the folder for all temporary files and folders. */
const char *temp_dir(void);

/*
 * Opens a new temporary file, which is freed however this program ends. libguestfs links
 * it for a moment (guest.c), which the kernel allows only for a file of O_TMPFILE; on a
 * file system without it the file is created and then removed. Returns a descriptor, or
 * -1.
 */
int temp_file_open(struct err *e) _must_check_;
/* Does the same in the folder `dir`. */
int temp_file_open_in(const char *dir, struct err *e) _must_check_;
