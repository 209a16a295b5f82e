/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/conf-token.h"

#include "lib/text.h"

#include <strings.h>

#define INCLUDE "@include"

static char at(const struct conf_tokens *t, size_t i)
{
	return i < t->len ? t->text[i] : '\0';
}

static bool has(const struct conf_tokens *t, const char *word)
{
	size_t n = strlen(word);

	return t->len - t->at >= n && memcmp(t->text + t->at, word, n) == 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_line(struct conf_tokens *t)
{
	while (t->at < t->len && t->text[t->at] != '\n')
		t->at++;
}

/* Skips a comment. Returns false when it is not terminated; then nothing is skipped. */
static bool skip_comment(struct conf_tokens *t)
{
	const char *from = t->text + t->at,
		   *end = memmem(from + 2, t->len - t->at - 2, "*/", 2);

	if (!end)
		return false;
	for (; from < end; from++)
		t->line += *from == '\n';
	t->at = (size_t)(end + 2 - t->text);
	return true;
}

/* Returns true for @include with a name in quotes, at the start of a line. */
static bool at_include(const struct conf_tokens *t)
{
	size_t i = t->at;

	while (i > 0 && strchr(" \t", t->text[i - 1]))
		i--;
	if ((i > 0 && t->text[i - 1] != '\n') || !has(t, INCLUDE))
		return false;
	i = t->at + strlen(INCLUDE);
	i += strspn(t->text + i, " \t");
	return at(t, i) == '"' &&
	       memchr(t->text + i + 1, '"', strcspn(t->text + i, "\n"));
}

/* Skips what is no token. Returns false at a comment that is not terminated. */
static bool skip(struct conf_tokens *t)
{
	while (t->at < t->len) {
		char c = t->text[t->at];

		if (c == '#' || has(t, "//") || at_include(t)) {
			skip_line(t);
		} else if (has(t, "/*")) {
			if (!skip_comment(t))
				return false;
		} else if (c && strchr(" \t\r\n\f", c)) {
			t->line += c == '\n';
			t->at++;
		} else {
			break;
		}
	}
	return true;
}

static void read_string(struct conf_tokens *t, struct conf_token *k)
{
	size_t i = t->at + 1;

	for (; i < t->len && t->text[i] != '"'; i++) {
		if (t->text[i] == '\\' && i + 1 < t->len)
			i++;
		if (t->text[i] == '\n') {
			k->spans = true;
			t->line++;
		}
	}
	k->is_open = i >= t->len;
	k->len = (k->is_open ? t->len : i + 1) - t->at;
}

/* Returns the length of the number at the offset, or 0: [-+]?digits, 0x..., or a float,
 * and L behind an integer. */
static size_t number_len(const struct conf_tokens *t, size_t from)
{
	size_t i = from + (at(t, from) == '-' || at(t, from) == '+'), digits = i, n;

	if (at(t, from) == '0' && (at(t, from + 1) | 32) == 'x') {
		for (i = from + 2;
		     at(t, i) && strchr("0123456789abcdefABCDEF", at(t, i));)
			i++;
		if (i == from + 2)
			return 0;
		for (n = 0; n < 2 && at(t, i) == 'L'; n++)
			i++;
		return i - from;
	}
	while (is_digit(at(t, i)))
		i++;
	n = i - digits;
	if (at(t, i) == '.') {
		for (digits = ++i; is_digit(at(t, i));)
			i++;
		n += i - digits;
	}
	if (n == 0)
		return 0;
	if ((at(t, i) | 32) == 'e') {
		size_t e = i + 1 + (at(t, i + 1) == '-' || at(t, i + 1) == '+');

		for (digits = e; is_digit(at(t, e));)
			e++;
		i = e > digits ? e : i;
	}
	for (n = 0; n < 2 && at(t, i) == 'L'; n++)
		i++;
	return i - from;
}

static bool in_word(char c)
{
	return is_letter(c) || is_digit(c) || (c && strchr("_-+.", c));
}

static void read_word(const struct conf_tokens *t, struct conf_token *k)
{
	const char *s = t->text + k->at;
	size_t number = number_len(t, k->at);

	while (in_word(at(t, k->at + k->len)))
		k->len++;
	if (number > 0 && number == k->len)
		k->type = TOKEN_NUMBER;
	else if ((k->len == 4 && strncasecmp(s, "true", 4) == 0) ||
		 (k->len == 5 && strncasecmp(s, "false", 5) == 0))
		k->type = TOKEN_BOOL;
	else if (is_letter(*s) && !memchr(s, '.', k->len) && !memchr(s, '+', k->len))
		k->type = TOKEN_NAME;
	else
		k->type = TOKEN_WORD;
}

void conf_token_next(struct conf_tokens *t, struct conf_token *ret)
{
	bool ended = skip(t);
	struct conf_token k = {.type = TOKEN_END, .at = t->at, .line = t->line};
	char c = at(t, t->at), copy[5] = {0};

	if (!ended) {
		k.type = TOKEN_COMMENT;
		k.len = 2;
	} else if (t->at == t->len) {
		k.len = 0;
	} else if (c == '"') {
		k.type = TOKEN_STRING;
		read_string(t, &k);
	} else if (in_word(c)) {
		read_word(t, &k);
	} else if (c && strchr("{}[]()=:;,", c)) {
		k.type = TOKEN_SIGN;
		k.len = 1;
	} else {
		memcpy(copy, t->text + t->at, t->len - t->at < 4 ? t->len - t->at : 4);
		k.type = TOKEN_OTHER;
		k.len = *copy ? text_sequence(copy, NULL) : 1;
		k.len = k.len ? k.len : 1;
	}
	t->at += k.len;
	*ret = k;
}

size_t conf_token_word(const struct conf_tokens *t, size_t from)
{
	size_t i = from;

	while (at(t, i) && !strchr(" \t\r\n{}[]();,=\"#", at(t, i)))
		i++;
	return i - from;
}
