/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the kernel's rule exactly: a quote at the start of a word covers the whole
 * word, a quote elsewhere only prevents splitting at blanks, and quotes are removed at
 * the ends of a word or a value but not inside.
 */
#include "firstboot/model/cmdline-word.h"

#define BLANKS " \t\n\v\f\r\xa0" /* the kernel's isspace() */

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

bool cmdline_next(const char **p, struct cmdline_word *ret)
{
	const char *s = *p + strspn(*p, BLANKS);
	bool in_quote = *s == '"', quoted = in_quote;
	size_t equals = 0, n = 0;
	_cleanup_free_ char *word = NULL;
	char *value;

	if (!*s) {
		*p = s;
		return false;
	}
	s += quoted;
	for (; s[n] && (in_quote || !is_blank(s[n])); n++) {
		if (equals == 0 && s[n] == '=')
			equals = n;
		if (s[n] == '"')
			in_quote = !in_quote;
	}
	*p = s + n;
	word = xstrndup(s, n);
	value = equals ? word + equals + 1 : NULL;
	if (equals)
		word[equals] = '\0';
	if (value && *value == '"') {
		value++;
		if (n > 0 && s[n - 1] == '"' && word + n - 1 >= value)
			word[n - 1] = '\0';
	}
	if (quoted && n > 0 && word[n - 1] == '"' && (!value || word + n - 1 >= value))
		word[n - 1] = '\0';
	*ret = (struct cmdline_word){.key = xstrdup(word), .value = xstrdup(value)};
	return true;
}

void cmdline_word_done(struct cmdline_word *w)
{
	free(w->key);
	free(w->value);
	*w = (struct cmdline_word){0};
}

char *cmdline_key(const struct cmdline_word *w)
{
	const char *name = str_after(w->key, "rackstrap.");
	char *key;

	if (!name)
		return NULL;
	key = xstrdup(name);
	for (char *c = key; *c; c++)
		if (*c == '-')
			*c = '_';
	return key;
}

bool cmdline_key_is_other(const char *key)
{
	static const char *const others[] = {
		"root_sha256", "state", "state_from", "root", "debug", "config", NULL};

	for (size_t i = 0; others[i]; i++)
		if (streq(key, others[i]))
			return true;
	return false;
}
