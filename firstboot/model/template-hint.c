/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hints about a name that a schema does not have at a place: why it is not there, which
 * member of a loop's element was meant, or the name that is nearest.
 */
#include "firstboot/model/template-parts.h"

#define SHOWN_MAX 8 /* members of an element in a hint */

static void add_names(struct strv_builder *b, const struct template_schema *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		strv_builder_add(b, s->rows[i].name);
}

/* Returns the list of groups, within `s`, whose elements have the member; or NULL. */
static const char *list_with(const struct template_schema *s, const char *member)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct template_schema *members = s->rows[i].members;
		const char *within = members ? list_with(members, member) : NULL;

		if (within || (members && template_schema_find(members, member)))
			return within ? within : s->rows[i].name;
	}
	return NULL;
}

/* Returns the member in "LIST.MEMBER", or NULL. */
static const char *member_of(const char *name, const char *list)
{
	const char *rest = str_after(name, list);

	return rest && *rest == '.' ? rest + 1 : NULL;
}

/* Returns " (an element of {{#hosts}} has name, role and address)". */
static char *hint_members(const struct template_loop *loop)
{
	_cleanup_buf_ struct buf b = {0};
	const struct template_schema *s = loop->members;

	if (s->n == 0 || s->n > SHOWN_MAX)
		return NULL;
	buf_printf(&b, " (an element of {{#%s}} has ", loop->list);
	for (size_t i = 0; i < s->n; i++)
		buf_printf(&b, "%s%s",
			   i == 0         ? ""
			   : i + 1 < s->n ? ", "
					  : " and ",
			   s->rows[i].name);
	buf_puts(&b, ")");
	return buf_take(&b);
}

static char *hint_name(const char *name)
{
	return xasprintf(" (did you mean {{%s}}?)", name);
}

/* Returns a hint about a name that may be a member of a loop's element, or NULL. */
static char *hint_loop(const struct template_schema *s, const struct template_loop *loops,
		       size_t n, const char *name)
{
	const char *member;

	for (size_t i = n; i > 0; i--) {
		member = member_of(name, loops[i - 1].list);
		if (member && template_schema_find(loops[i - 1].members, member))
			return hint_name(member);
		if (member && !strchr(member, '.'))
			return hint_members(&loops[i - 1]);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct template_row *row = &s->rows[i];

		member = row->members ? member_of(name, row->name) : NULL;
		if (member && template_schema_find(row->members, member))
			return xasprintf(" (did you mean "
					 "{{#%s}}{{%s}}{{/%s}}?)",
					 row->name, member, row->name);
	}
	return NULL;
}

static char *hint(const struct template_schema *s, const struct template_loop *loops,
		  size_t n, const char *name)
{
	_cleanup_strv_builder_ struct strv_builder names = {0};
	const char *near;
	char *found = hint_loop(s, loops, n, name);

	if (found)
		return found;
	for (size_t i = 0; i < s->n_absent; i++)
		if (streq(s->absent[i].name, name))
			return xasprintf(" (%s)", s->absent[i].why);
	for (size_t i = n; i > 0; i--)
		add_names(&names, loops[i - 1].members);
	add_names(&names, s);
	near = names.n ? str_nearest(name, (const char *const *)names.v) : NULL;
	if (near)
		return hint_name(near);
	return n > 0 && !strchr(name, '.') ? hint_members(&loops[n - 1]) : NULL;
}

char *template_complaint(const struct template_schema *s,
			 const struct template_loop *loops, size_t n, const char *name)
{
	const char *list = list_with(s, name);
	_cleanup_free_ char *more = NULL;

	if (streq(name, "."))
		return xstrdup("{{.}} is known only in a loop over a list of texts");
	if (streq(name, "first") || streq(name, "last"))
		return xasprintf("{{%s}} is known only in a loop over a list", name);
	if (list)
		return xasprintf("{{%s}} is known only within {{#%s}}...{{/%s}}", name,
				 list, list);
	more = hint(s, loops, n, name);
	return xasprintf("unknown value {{%s}}%s", name, more ? more : "");
}
