/* SPDX-License-Identifier: Apache-2.0 */
/* A table of addresses as texts, with the first host that has each. */
#pragma once

#include "lib/intern.h"
#include "pxe/rack.h"

struct owners {
	struct intern seen;
	size_t *host; /* by the text's number */
};

#define OWNER_NONE SIZE_MAX

/* Returns the first host that had this text, which is `i` if the text is new. */
size_t owner(struct owners *o, const char *text, size_t i);
void owners_done(struct owners *o);
#define _cleanup_owners_ _cleanup_(owners_done)

/* Adds "FILE:LINE: host 'a': KEY: WHAT host 'b' (line 22)WHY". Returns -1. */
int owner_complain(const struct rack *r, size_t i, enum host_key_id id, const char *what,
		   size_t other, const char *why, struct diag *d);
