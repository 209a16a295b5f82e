/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/root/unit-text.h"

#include "builder/common/unit-dirs.h"

#define BLANKS " \t\r"

bool unit_text_is(const char *path)
{
	for (size_t i = 0; i < UNIT_DIRS; i++) {
		const char *name = str_after(path, unit_dirs[i]);

		if (name && !strchr(name, '/'))
			return true;
	}
	return false;
}

char *unit_text_template(const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

	if (!at || !dot || dot <= at + 1)
		return NULL;
	return xasprintf("%.*s@%s", (int)(at - name), name, dot);
}

/* Returns the value of a line "key=...", or NULL. Points into `line`. */
static char *line_value(char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(line, key, n) != 0 || line[n + strspn(line + n, BLANKS)] != '=')
		return NULL;
	return strchr(line, '=') + 1;
}

char **unit_text_values(const char *text, const char *section, const char *key)
{
	_cleanup_free_ char *copy = xstrdup(text), *header = xasprintf("[%s]", section);
	struct strv_builder values = {0};
	bool in = false;

	for (char *p = copy; (p = strstr(p, "\\\n")); p++)
		p[0] = p[1] = ' ';
	for (char *line = copy, *next; line; line = next) {
		char *value;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line += strspn(line, BLANKS);
		if (*line == '[')
			in = str_after(line, header) != NULL;
		value = in ? line_value(line, key) : NULL;
		if (value) {
			_cleanup_free_ char *trimmed = str_trimmed(value, BLANKS);

			strv_builder_add(&values, trimmed ? trimmed : "");
		}
	}
	return strv_builder_take(&values);
}

char *unit_text_expand(const char *s, const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
	size_t prefix = at ? (size_t)(at - name) : (size_t)(dot - name);
	_cleanup_buf_ struct buf b = {0};

	for (; *s; s++) {
		if (*s != '%') {
			buf_add(&b, s, 1);
			continue;
		}
		switch (*++s) {
		case '%':
			buf_puts(&b, "%");
			break;
		case 'n':
			buf_puts(&b, name);
			break;
		case 'p':
			buf_add(&b, name, prefix);
			break;
		case 'i':
			if (at)
				buf_add(&b, at + 1, (size_t)(dot - at - 1));
			break;
		default:
			return NULL;
		}
	}
	return buf_take(&b);
}
