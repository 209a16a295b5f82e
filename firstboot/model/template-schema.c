/* SPDX-License-Identifier: Apache-2.0 */
/* A schema is a short array of rows for each level, which is searched from the front. */
#include "firstboot/model/template-parts.h"

bool template_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > TEMPLATE_NAME_MAX || name[0] == '.' || name[len - 1] == '.')
		return false;
	return !strstr(name, "..") &&
	       template_has_only(name, TEMPLATE_LETTERS TEMPLATE_DIGITS "_.");
}

struct template_schema *template_schema_new(void)
{
	return xcalloc(1, sizeof(struct template_schema));
}

void template_schema_free(struct template_schema *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->rows[i].name);
		free(s->rows[i].sample);
		template_schema_free(s->rows[i].members);
	}
	for (size_t i = 0; i < s->n_absent; i++) {
		free(s->absent[i].name);
		free(s->absent[i].why);
	}
	free(s->absent);
	free(s->rows);
	free(s);
}

void template_schema_free_p(struct template_schema **s)
{
	template_schema_free(*s);
}

const struct template_row *template_schema_find(const struct template_schema *s,
						const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->rows[i].name, name))
			return &s->rows[i];
	return NULL;
}

int template_schema_add(struct template_schema *s, const struct template_key *key)
{
	if (!template_name_is_valid(key->name) || streq(key->name, "first") ||
	    streq(key->name, "last"))
		return -EINVAL;
	if (template_schema_find(s, key->name))
		return -EEXIST;
	s->rows = xgrow(s->rows, s->n, sizeof(*s->rows));
	s->rows[s->n] = (struct template_row){
		.name = xstrdup(key->name),
		.kind = key->kind,
		.optional = key->optional,
		.sample = xstrdup(key->sample),
	};
	if (key->kind == TEMPLATE_GROUPS) {
		s->rows[s->n].members = template_schema_new();
		if (key->members)
			template_schema_add_table(s->rows[s->n].members, key->members);
	}
	s->n++;
	return 0;
}

void template_schema_add_table(struct template_schema *s,
			       const struct template_key *table)
{
	for (; table->name; table++)
		if (template_schema_add(s, table) < 0)
			abort();
}

void template_schema_add_absent(struct template_schema *s, const char *name,
				const char *why)
{
	s->absent = xgrow(s->absent, s->n_absent, sizeof(*s->absent));
	s->absent[s->n_absent++] = (struct template_absent){xstrdup(name), xstrdup(why)};
}
