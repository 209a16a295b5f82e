/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a rack, `hosts_file` in rack.cfg(5): CSV (lib/csv.h) whose first row has
 * keys of hosts. Each other row has the values of a host; an empty cell gives none.
 */
#pragma once

#include "firstboot/model/conf.h"
#include "lib/csv.h"
#include "lib/intern.h"

struct rack_rows {
	char *path;
	struct csv table;
	struct intern names; /* of the rows; number i is that of row i, if `is_named` */
	bool is_named;       /* there is a column `name` */
	size_t n;            /* rows below the first one */
	bool *used;          /* of each: a host has it */
	bool is_wrong;       /* it has mistakes, which were complained about */
};

/* The tables that were read, each once. */
struct rack_tables {
	struct rack_rows **v;
	size_t n;
};

/* Returns the table that the node, a member `hosts_file`, names relative to the folder of
 * its file, or NULL with complaints; those about the table are added once. `t` owns it.
 */
struct rack_rows *rack_rows_read(struct rack_tables *t, const struct conf_node *n,
				 const char *prefix, struct diag *d);
/* Returns true and sets *ret when there is a row of that name. */
bool rack_rows_find(const struct rack_rows *rows, const char *name, size_t *ret);
/* Returns the name of a row, or NULL. */
const char *rack_rows_name(const struct rack_rows *rows, size_t row);
unsigned rack_rows_line(const struct rack_rows *rows, size_t row);
/* Adds the row's values to a host's group, in the places of those with the same key. `to`
 * owns them. The table must outlive it. */
void rack_rows_add(const struct rack_rows *rows, size_t row, struct conf *to,
		   struct conf_node *host);
/* Returns the list of names in the row's column `profiles` as a member, or NULL. */
const struct conf_node *rack_rows_profiles(const struct rack_rows *rows, size_t row,
					   struct conf *to);
/* Sets the place of a node to that of the row. */
void rack_rows_place(const struct rack_rows *rows, size_t row, struct conf_node *n);
/* Complains about rows that no host has. Returns 0 or -1. */
int rack_rows_check_used(const struct rack_tables *t, struct diag *d) _must_check_;
void rack_tables_done(struct rack_tables *t);
