/* SPDX-License-Identifier: Apache-2.0 */
/* Writes ustar archives (POSIX.1-1988) into a buffer. */
#pragma once

#include "lib/str.h"

void tar_file(struct buf *b, const char *path, unsigned mode, const void *data,
	      size_t len);
void tar_end(struct buf *b);
