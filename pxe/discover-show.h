/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints unknown machines: as entries of a rack file, as a table of comma-separated
 * values whose columns are keys of a host (those that begin with '#' are for people), and
 * as JSON.
 */
#pragma once

#include "pxe/discover.h"
#include "pxe/proposal.h"

/* Appends an entry, with a comment before it. */
void discover_append_entry(struct buf *b, const struct machine *m,
			   const struct proposal *p);
/* Append the first row, and that of a machine. */
void discover_append_titles(struct buf *b, const struct proposals *all);
void discover_append_row(struct buf *b, const struct proposals *all,
			 const struct machine *m, const struct proposal *p);
/* Adds an object to a JSON list. */
void discover_add_json(struct json *j, const struct machine *m, const struct proposal *p);
