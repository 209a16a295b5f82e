/* SPDX-License-Identifier: Apache-2.0 */
/* The messages about a file that is not the image it was taken for. */
#pragma once

#include "builder/disk/disk-content.h"

#include <sys/stat.h>

/*
 * Sets the error for the file `path` with this content, which is compressed with
 * `compression` unless that is NULL. The message names the images in the file's folder.
 * For a command that `writes`, it says what the file lacks, and that '--raw' writes it.
 * Returns -1.
 */
int disk_refusal_set(struct err *e, const struct disk_content *c, const char *path,
		     const char *compression, bool writes);

/* Does the same for a folder, a device or another path that is not a file. */
int disk_refusal_of_type(struct err *e, mode_t mode, const char *path);
