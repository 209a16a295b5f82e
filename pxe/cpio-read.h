/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the members of a "newc" cpio archive in memory, as pxe/cpio.h writes them. */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

struct cpio_member {
	const char *name; /* points into the archive, as `data` does */
	mode_t mode;      /* with its type */
	const char *data;
	size_t len;
};

/* Reads the member at the offset *at and moves *at behind it; *at is 0 at first. Returns
 * 1; 0 at the end of the archive; or -1 when it is damaged. */
int cpio_next(const char *archive, size_t len, size_t *at, struct cpio_member *ret,
	      struct err *e) _must_check_;
