/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that file systems have room for what is going to be written. */
#pragma once

#include "lib/err.h"

#include <stdint.h>

struct space_need {
	const char *folder; /* it need not exist yet */
	const char *what;   /* is written there, with what moves it elsewhere: "the image
			     * (--output)" */
	uint64_t bytes;
};

/* Returns the nearest folder that exists: `path` itself or one above it. Owned. */
char *space_folder(const char *path);

/* Adds a complaint for each file system that has less room than all needs that are on it
 * together. Nothing is complained about where the room is not known. */
void space_check(const struct space_need *v, size_t n, struct diag *d);
/* Does the same for one need. Returns 0 or -1: ERR_UNABLE. */
int space_check_one(const struct space_need *need, struct err *e) _must_check_;
