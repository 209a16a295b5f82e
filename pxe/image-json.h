/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of manifest.json, for image.c. */
#pragma once

#include "pxe/image.h"

/* Parses a manifest.json into a zeroed *i, and its list of files into a zeroed *files,
 * which may be NULL. With i->dir, compares the sizes of the files there. Returns 0 or -1;
 * both are the caller's to empty, also after a failure. */
int image_load(struct image *i, struct image_files *files, const char *text, size_t len,
	       struct err *e) _must_check_;
