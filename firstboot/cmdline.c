/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the kernel's rule exactly: a quote at the start of a word covers the whole
 * word, a quote elsewhere only prevents splitting at blanks, and quotes are removed at
 * the ends of a word or a value but not inside.
 */
#include "firstboot/cmdline.h"
#include "lib/root.h"

#define CMDLINE_MAX (64 * 1024)       /* the kernel's limit is 4 KiB or less */
#define BLANKS      " \t\n\v\f\r\xa0" /* the kernel's isspace() */

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

int cmdline_read(char **ret, const struct firstboot *fb)
{
	int r;

	if (fb->cmdline) {
		*ret = xstrdup(fb->cmdline);
		return 0;
	}
	r = root_read(fb->rootfd, "proc/cmdline", CMDLINE_MAX, ret, NULL);
	if (r == -ENOENT) {
		*ret = xstrdup("");
		return 0;
	}
	return r;
}

char *cmdline_value(const struct firstboot *fb, const char *want)
{
	_cleanup_free_ char *text = NULL;
	char *value = NULL;

	if (cmdline_read(&text, fb) < 0)
		return NULL;
	for (const char *p = text;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;

		if (!cmdline_next(&p, &w))
			return value;
		key = cmdline_key(&w);
		if (!key || !streq(key, want) || !w.value)
			continue;
		free(value);
		value = xstrdup(w.value);
	}
}
