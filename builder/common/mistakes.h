/* SPDX-License-Identifier: Apache-2.0 */
/* Collects complaints of several kinds, which become one error with one exit status. */
#pragma once

#include "lib/err.h"

/* Zero-initialise; end with mistakes_done(). */
struct mistakes {
	struct diag config; /* in a recipe or its lock */
	struct diag failed; /* in what is there: inputs, folders */
	struct diag unable; /* this machine lacks or forbids something */
};

/* Adds an error to the list of its code. */
void mistakes_add(struct mistakes *m, const struct err *e);

/* Makes one error of all: ERR_CONFIG if there is such a complaint, else ERR_FAILED, else
 * ERR_UNABLE. Returns -1, or 0 when there is no complaint. */
int mistakes_err(struct mistakes *m, struct err *e) _must_check_;
void mistakes_done(struct mistakes *m);
#define _cleanup_mistakes_ _cleanup_(mistakes_done)
