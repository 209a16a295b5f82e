/* SPDX-License-Identifier: Apache-2.0 */
/* Writes nodes as a text that libconfig reads to the same ones. */
#include "firstboot/model/conf-tree.h"

static void append_value(struct buf *b, const struct conf_node *n, unsigned depth);

static void append_indent(struct buf *b, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_puts(b, "\t");
}

/* Returns true for a list without groups, and without lists that have something in
 * them. */
static bool is_short(const struct conf_node *n)
{
	for (size_t i = 0; i < conf_len(n); i++)
		if (conf_len(conf_at(n, i)) > 0 || conf_type(conf_at(n, i)) == CONF_GROUP)
			return false;
	return true;
}

static void append_members(struct buf *b, const struct conf_node *n, unsigned depth)
{
	for (size_t i = 0; i < conf_len(n); i++) {
		append_indent(b, depth);
		buf_printf(b, "%s = ", conf_key(conf_at(n, i)));
		append_value(b, conf_at(n, i), depth);
		buf_puts(b, ";\n");
	}
}

static void append_group(struct buf *b, const struct conf_node *n, unsigned depth)
{
	buf_puts(b, "{\n");
	append_members(b, n, depth + 1);
	append_indent(b, depth);
	buf_puts(b, "}");
}

static void append_list(struct buf *b, const struct conf_node *n, unsigned depth)
{
	const bool on_one_line = is_short(n);

	buf_puts(b, n->array ? "[" : "(");
	for (size_t i = 0; i < conf_len(n); i++) {
		buf_puts(b, i ? "," : "");
		buf_puts(b, on_one_line ? " " : "\n");
		if (!on_one_line)
			append_indent(b, depth + 1);
		append_value(b, conf_at(n, i), depth + 1);
	}
	buf_puts(b, on_one_line ? " " : "\n");
	if (!on_one_line)
		append_indent(b, depth);
	buf_puts(b, n->array ? "]" : ")");
}

static void append_value(struct buf *b, const struct conf_node *n, unsigned depth)
{
	switch (n->type) {
	case CONF_STRING:
		conf_quote(b, n->s);
		break;
	case CONF_INT:
		buf_printf(b, "%d", n->i);
		break;
	case CONF_BOOL:
		buf_puts(b, n->b ? "true" : "false");
		break;
	case CONF_GROUP:
		append_group(b, n, depth);
		break;
	case CONF_LIST:
		append_list(b, n, depth);
		break;
	case CONF_OTHER:
		buf_puts(b, n->s);
		break;
	}
}

char *conf_text(const struct conf *c)
{
	struct buf b = {0};

	append_members(&b, conf_root(c), 0);
	return buf_take(&b);
}

char *conf_value_text(const struct conf_node *n)
{
	struct buf b = {0};

	append_value(&b, n, 0);
	return buf_take(&b);
}

void conf_quote(struct buf *b, const char *s)
{
	buf_puts(b, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_printf(b, "\\%c", *s);
		else if (*s == '\n')
			buf_puts(b, "\\n");
		else if (*s == '\t')
			buf_puts(b, "\\t");
		else if (*s == '\r')
			buf_puts(b, "\\r");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_printf(b, "\\x%02x", (unsigned char)*s);
		else
			buf_add(b, s, 1);
	}
	buf_puts(b, "\"");
}

void conf_append_strv(struct buf *b, const char *key, char *const *v)
{
	buf_printf(b, "%s = [", key);
	for (size_t i = 0; v && v[i]; i++) {
		buf_puts(b, i ? ",\n  " : "\n  ");
		conf_quote(b, v[i]);
	}
	buf_puts(b, " ];\n");
}
