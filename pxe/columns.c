/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/columns.h"

const char *column_key(enum feature_id id)
{
	return features[id]->column ? host_key(features[id]->shown)->name : NULL;
}

void columns_of_host(struct host_columns *ret, const struct host *h)
{
	*ret = (struct host_columns){.v = {NULL}};
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		char *text;

		if (!column_key(i) || !(h->features & FEATURE_BIT(i)))
			continue;
		text = host_show(h, features[i]->shown);
		if (*text)
			ret->v[i] = text;
		else
			free(text);
	}
}

void columns_copy(struct host_columns *ret, const struct host_columns *from)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		ret->v[i] = xstrdup(from->v[i]);
}

void columns_done(struct host_columns *c)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		free(c->v[i]);
	*c = (struct host_columns){.v = {NULL}};
}

void columns_mark(bool used[static FEATURE_COUNT], const struct host_columns *c)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		used[i] = used[i] || c->v[i];
}

size_t columns_titles(const bool used[static FEATURE_COUNT],
		      struct table_column ret[static FEATURE_COUNT])
{
	size_t n = 0;

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (used[i])
			ret[n++] = (struct table_column){features[i]->column, false};
	return n;
}

void columns_add(struct table *t, const bool used[static FEATURE_COUNT],
		 const struct host_columns *c)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (used[i])
			table_add(t, c->v[i]);
}

void columns_json(struct json *j, const struct host_columns *c)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (c->v[i])
			json_str(j, column_key(i), c->v[i]);
}
