/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a download against what is known about the file. For fetch.c and
 * fetch-transfer.c. */
#pragma once

#include "builder/input/fetch-part.h"
#include "builder/input/fetch-response.h"
#include "builder/input/fetch.h"

enum fetch_verdict {
	FETCH_GOOD,
	FETCH_CUT,   /* incomplete, or perhaps incomplete: try again */
	FETCH_WRONG, /* it is another file */
};

/* Checks the bytes that arrived, and fills in f's results or sets `e`. `called` is the
 * file's name in messages. */
enum fetch_verdict fetch_check(struct fetch_file *f, struct part *p,
			       const struct response *r, const char *called,
			       struct err *e);
