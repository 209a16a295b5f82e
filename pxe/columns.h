/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of features that tables of hosts show as columns: by feature, a text or
 * NULL. A table has only columns in which a host has a value.
 */
#pragma once

#include "firstboot/model/feature.h"
#include "lib/json.h"
#include "pxe/table.h"

struct host_columns {
	char *v[FEATURE_COUNT];
};

/* Sets the texts of a derived host, or copies them; columns_done() frees them. */
void columns_of_host(struct host_columns *ret, const struct host *h);
void columns_copy(struct host_columns *ret, const struct host_columns *from);
void columns_done(struct host_columns *c);

/* Sets used[FEATURE] for every value. */
void columns_mark(bool used[static FEATURE_COUNT], const struct host_columns *c);

/* Writes the titles of used columns to `ret`. Returns their number. */
size_t columns_titles(const bool used[static FEATURE_COUNT],
		      struct table_column ret[static FEATURE_COUNT]);
/* Adds a cell for each used column. */
void columns_add(struct table *t, const bool used[static FEATURE_COUNT],
		 const struct host_columns *c);

/* Adds each value under its key's name. */
void columns_json(struct json *j, const struct host_columns *c);

/* Returns the name under which tree.cfg and reports have the feature's value; NULL when
 * tables do not show it. */
const char *column_key(enum feature_id id);
