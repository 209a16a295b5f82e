/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what a download brought is what it must be. For fetch.c. */
#pragma once

#include "builder/input/fetch-part.h"
#include "builder/input/fetch-response.h"
#include "builder/input/fetch.h"

enum fetch_verdict {
	FETCH_GOOD,
	FETCH_CUT,   /* not all of it, or perhaps not: worth another try */
	FETCH_WRONG, /* it is another file */
};

/* Looks at all that came, and fills in f's results or says in `e` what is wrong.
 * `called` is what messages call the file. */
enum fetch_verdict fetch_check(struct fetch_file *f, struct part *p,
			       const struct response *r, const char *called,
			       struct err *e);
