/* SPDX-License-Identifier: Apache-2.0 */
/* Renders in one pass, line by line. Each line is first checked for being left out. */
#include "pxe/variables.h"

#include "lib/log.h"

static const char *lookup(const struct variable *vars, const char *name, size_t len)
{
	for (; vars->name; vars++)
		if (strlen(vars->name) == len && memcmp(vars->name, name, len) == 0)
			return vars->value;
	log_error("template: no variable '%.*s'", (int)len, name);
	abort();
}

/* Returns the value of the @NAME@ at `s`, and sets *ret_len to the length of @NAME@; NULL
 * if there is no @NAME@. */
static const char *variable_at(const char *s, const char *end,
			       const struct variable *vars, size_t *ret_len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n;

	if (s >= end || *s != '@')
		return NULL;
	n = strspn(s + 1, letters);
	if (n == 0 || s[1 + n] != '@')
		return NULL;
	*ret_len = n + 2;
	return lookup(vars, s + 1, n);
}

/* Checks if the line is a comment of the template or one @NAME@ whose value is empty. */
static bool is_left_out(const char *s, const char *end, const struct variable *vars)
{
	const char *value;
	size_t len;

	if (end - s >= 2 && s[0] == '#' && s[1] == '@')
		return true;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	value = variable_at(s, end, vars, &len);
	return value && !*value && s + len == end;
}

static void line_render(struct buf *out, const char *s, const char *end,
			const struct variable *vars)
{
	while (s < end) {
		const char *at = memchr(s + 1, '@', (size_t)(end - s - 1));
		size_t len = (size_t)((at ? at : end) - s); /* to the next @ */
		const char *value = variable_at(s, end, vars, &len);

		if (value)
			buf_puts(out, value);
		else
			buf_add(out, s, len);
		s += len;
	}
}

void variables_replace(struct buf *out, const char *text, const struct variable *vars)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (!is_left_out(text, end, vars)) {
			line_render(out, text, end, vars);
			buf_puts(out, "\n");
		}
		text = *end ? end + 1 : end;
	}
}
