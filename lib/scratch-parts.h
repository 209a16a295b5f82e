/* SPDX-License-Identifier: Apache-2.0 */
/* The names of scratch folders and their records. scratch-make.c makes the folders,
 * scratch.c makes the records and reads them. */
#pragma once

#define SCRATCH_MARK    ".rackstrap-"
#define SCRATCH_ID_LEN  16
#define SCRATCH_LETTERS "abcdefghijklmnopqrstuvwxyz012345"

/* Makes and locks the record RECORDS/ID. Returns its descriptor, -EAGAIN when a sweep was
 * quicker, or another -errno. */
int scratch_record_create(const char *records, const char *id, const char *path,
			  const char *target);
