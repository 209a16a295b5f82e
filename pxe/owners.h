/* SPDX-License-Identifier: Apache-2.0 */
/* A table of addresses as texts, with the first host that has each. */
#pragma once

#include "lib/intern.h"

struct owners {
	struct intern seen;
	size_t *host; /* by the text's number */
};

/* Returns the first host that had this text, which is `i` if the text is new. `i` may be
 * NO_HOST (pxe/rack-parts.h). */
size_t owner(struct owners *o, const char *text, size_t i);
void owners_done(struct owners *o);
#define _cleanup_owners_ _cleanup_(owners_done)
