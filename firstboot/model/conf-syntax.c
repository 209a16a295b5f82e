/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the grammar of libconfig (grammar.y of 1.5) by recursive descent and stops at the
 * first token that does not fit.
 *
 * Limit: one mistake is found.
 */
#include "firstboot/model/conf-syntax.h"

#include "firstboot/model/conf-fault.h"
#include "firstboot/model/conf-language.h"

#include <strings.h>

#define DEPTH_MAX 40 /* more than conf-scan.c allows */
#define SHOWN_MAX 40 /* bytes of a word in a message */

/* --- settings --------------------------------------------------------------------- */

static void advance(struct syntax *x)
{
	const struct conf_token *k = &x->tok;

	x->last = x->tok;
	conf_token_next(&x->t, &x->tok);
	if (k->type != TOKEN_STRING || !k->spans)
		return;
	x->spanning = *k;
	if (!x->suspect.len && !k->is_open &&
	    strcspn(x->t.text + k->at + k->len, " \t\r\n;,:=(){}[]\"#/"))
		x->suspect = *k;
}

static struct conf_token peek(const struct syntax *x)
{
	struct conf_tokens t = x->t;
	struct conf_token k;

	conf_token_next(&t, &k);
	return k;
}

static int read_value(struct syntax *x, const struct conf_token *within);

/* Reports what stands where a key should. */
static int fault_key(struct syntax *x, const struct conf_token *open)
{
	const char *s = x->t.text + x->tok.at;
	size_t word = conf_token_word(&x->t, x->tok.at);
	struct conf_token next = peek(x);

	switch (x->tok.type) {
	case TOKEN_STRING:
		if (syntax_is_sign(&next, x, "=:"))
			return syntax_fault(x, x->tok.at,
					    "a key is written without quotation marks");
		return syntax_fault(x, x->tok.at,
				    "a string without a key: write key = \"...\";");
	case TOKEN_SIGN:
		if (strchr("})]", *s))
			return syntax_fault_close(x, open);
		if (strchr(";,", *s))
			return syntax_fault(x, x->tok.at, "unexpected '%c': delete it",
					    *s);
		if (*s == '{' && open && x->last.at == open->at)
			return syntax_fault(
				x, open->at,
				"{ ... } has settings, key = value; a list of groups "
				"is written ( { ... }, { ... } )");
		return syntax_fault(x, x->tok.at, "a key is missing before this '%c'",
				    *s);
	case TOKEN_NUMBER:
	case TOKEN_WORD:
	case TOKEN_BOOL:
		return syntax_fault(
			x, x->tok.at,
			"'%.*s' is not a key: a letter, then letters, digits, '_' and "
			"'-'",
			(int)(word < SHOWN_MAX ? word : SHOWN_MAX), s);
	default:
		return syntax_fault_other(x);
	}
}

static int fault_equals(struct syntax *x)
{
	int len = (int)(x->key.len < SHOWN_MAX ? x->key.len : SHOWN_MAX);
	const char *key = x->t.text + x->key.at;

	if (x->tok.type == TOKEN_OTHER || x->tok.type == TOKEN_COMMENT)
		return syntax_fault_other(x);
	if (x->tok.type == TOKEN_END || syntax_is_sign(&x->tok, x, ";,})]"))
		return syntax_fault(x, syntax_last_end(x),
				    "'%.*s' has no value: write %.*s = ...;", len, key,
				    len, key);
	return syntax_fault(x,
			    x->tok.line == x->key.line ? x->tok.at : syntax_last_end(x),
			    "'=' is missing behind '%.*s'", len, key);
}

struct names {
	struct conf_token *v;
	size_t n;
};

static void names_done(struct names *n)
{
	free(n->v);
}
#define _cleanup_names_ _cleanup_(names_done)

/* Adds the key, or reports that the group has it already. */
static int add_name(struct syntax *x, struct names *names)
{
	const char *s = x->t.text + x->key.at;
	_cleanup_free_ char *place = NULL;

	for (size_t i = 0; i < names->n; i++) {
		if (names->v[i].len != x->key.len ||
		    memcmp(x->t.text + names->v[i].at, s, x->key.len) != 0)
			continue;
		place = syntax_place(x, names->v[i].line, x->key.at);
		return syntax_fault(
			x, x->key.at, "'%.*s' is given twice, first in %s",
			(int)(x->key.len < SHOWN_MAX ? x->key.len : SHOWN_MAX), s, place);
	}
	names->v = xgrow(names->v, names->n, sizeof(*names->v));
	names->v[names->n++] = x->key;
	return 0;
}

/* Reads settings up to the end of the group, or of the text when `open` is NULL. */
static int read_settings(struct syntax *x, const struct conf_token *open)
{
	_cleanup_names_ struct names names = {0};

	for (;;) {
		if (x->tok.type == TOKEN_END)
			return open ? syntax_fault_open(x, open) : 0;
		if (open && syntax_is_sign(&x->tok, x, "}"))
			return 0;
		if (x->tok.type != TOKEN_NAME && x->tok.type != TOKEN_BOOL)
			return fault_key(x, open);
		if (x->tok.type == TOKEN_BOOL)
			return syntax_fault(x, x->tok.at, "'%.*s' is a value, not a key",
					    (int)x->tok.len, x->t.text + x->tok.at);
		x->key = x->tok;
		if (add_name(x, &names) < 0)
			return -1;
		advance(x);
		if (!syntax_is_sign(&x->tok, x, "=:"))
			return fault_equals(x);
		advance(x);
		if (syntax_is_sign(&x->tok, x, "=:"))
			return syntax_fault(x, x->tok.at, "one '=' too many: delete it");
		if (read_value(x, NULL) < 0)
			return -1;
		if (syntax_is_sign(&x->tok, x, ";,"))
			advance(x);
	}
}

/* --- values ----------------------------------------------------------------------- */

/* Reports a value that has no quotes. */
static int fault_word(struct syntax *x, const struct conf_token *within)
{
	static const char *const bools[][2] = {
		{"yes", "true"}, {"no", "false"}, {"on", "true"}, {"off", "false"}};
	const char *s = x->t.text + x->tok.at;
	size_t len = conf_token_word(&x->t, x->tok.at);
	struct conf_token next = peek(x);

	if (within && syntax_is_sign(&next, x, "=") && x->t.text[within->at] == '(')
		return syntax_fault(
			x, x->tok.at,
			"a setting in a list must be in a group: ( { key = value; } )");
	if (within && syntax_is_sign(&next, x, "="))
		return syntax_fault_open(x, within);
	for (size_t i = 0; i < ARRAY_SIZE(bools); i++)
		if (strlen(bools[i][0]) == len && strncasecmp(s, bools[i][0], len) == 0)
			return syntax_fault(x, x->tok.at,
					    "write %s for '%.*s', or a string in \"\"",
					    bools[i][1], (int)len, s);
	if (s[len] == '"')
		return syntax_fault(x, x->tok.at,
				    "this string has no opening quotation mark");
	if (len > SHOWN_MAX || syntax_secret_key(x->t.text + x->key.at, x->key.len))
		return syntax_fault(x, x->tok.at,
				    "this value has no quotation marks: write \"...\"");
	return syntax_fault(x, x->tok.at,
			    "this value has no quotation marks: write \"%.*s\"", (int)len,
			    s);
}

static int fault_value(struct syntax *x, const struct conf_token *within)
{
	const char *s = x->t.text + x->tok.at;

	switch (x->tok.type) {
	case TOKEN_NAME:
	case TOKEN_WORD:
		return fault_word(x, within);
	case TOKEN_OTHER:
		/* A path or a variable without quotes. */
		if (strchr("/$~.%", *s))
			return fault_word(x, within);
		return syntax_fault_other(x);
	case TOKEN_COMMENT:
		return syntax_fault_other(x);
	case TOKEN_END:
		if (within)
			return syntax_fault_open(x, within);
		break;
	default:
		break;
	}
	if (!within)
		return syntax_fault(
			x, syntax_last_end(x), "'%.*s' has no value",
			(int)(x->key.len < SHOWN_MAX ? x->key.len : SHOWN_MAX),
			x->t.text + x->key.at);
	if (syntax_is_sign(&x->tok, x, ")]") && syntax_is_sign(&x->last, x, ","))
		return syntax_fault(x, x->last.at, "no ',' may follow the last element");
	if (syntax_is_sign(&x->tok, x, "})]"))
		return syntax_fault_close(x, within);
	return syntax_fault(x, x->tok.at, "an element is missing before this '%c'", *s);
}

/* Reports what follows an element in place of ',' or the closing bracket. */
static int fault_separator(struct syntax *x, const struct conf_token *open)
{
	struct conf_token next = peek(x);

	if (x->tok.type == TOKEN_END)
		return syntax_fault_open(x, open);
	if (syntax_is_sign(&x->tok, x, "})]"))
		return syntax_fault_close(x, open);
	if (syntax_is_sign(&x->tok, x, ";") ||
	    (x->tok.type == TOKEN_NAME && syntax_is_sign(&next, x, "=:")))
		return syntax_fault_open(x, open);
	if (x->tok.type == TOKEN_OTHER || x->tok.type == TOKEN_COMMENT)
		return syntax_fault_other(x);
	return syntax_fault(x, syntax_last_end(x),
			    "a ',' is missing between two elements");
}

/* Returns the type of a simple value as an array counts it. */
static char value_type(const struct syntax *x, const struct conf_token *k)
{
	const char *s = x->t.text + k->at;
	bool hex = k->len > 2 && (s[1] | 32) == 'x';

	if (k->type == TOKEN_STRING)
		return 's';
	if (k->type == TOKEN_BOOL)
		return 'b';
	if (!hex && strcspn(s, ".eE") < k->len)
		return 'f';
	return s[k->len - 1] == 'L' ? 'l' : 'i';
}

/* Reads the elements of a list or array and its closing bracket. */
static int read_elements(struct syntax *x, const struct conf_token *open)
{
	bool is_array = x->t.text[open->at] == '[';
	const char *close = is_array ? "]" : ")";
	char first = 0;

	while (!syntax_is_sign(&x->tok, x, close) || syntax_is_sign(&x->last, x, ",")) {
		if (is_array && syntax_is_sign(&x->tok, x, "{(["))
			return syntax_fault(
				x, open->at,
				"[ ... ] has strings or numbers only: a list of groups "
				"or lists is written ( ... )");
		if (is_array && x->tok.type >= TOKEN_STRING &&
		    x->tok.type <= TOKEN_BOOL) {
			char type = value_type(x, &x->tok);

			if (first && type != first)
				return syntax_fault(
					x, x->tok.at,
					"this element has another type than the first; "
					"in [ ... ] all have one type");
			first = type;
		}
		if (read_value(x, open) < 0)
			return -1;
		if (syntax_is_sign(&x->tok, x, close))
			break;
		if (!syntax_is_sign(&x->tok, x, ","))
			return fault_separator(x, open);
		advance(x);
	}
	advance(x);
	return 0;
}

static int read_bracket(struct syntax *x)
{
	struct conf_token open = x->tok, key = x->key;
	int r;

	if (++x->depth > DEPTH_MAX)
		return syntax_fault(x, open.at, "too many brackets within each other");
	advance(x);
	if (x->t.text[open.at] == '{') {
		r = read_settings(x, &open);
		if (r == 0)
			advance(x);
	} else {
		r = read_elements(x, &open);
	}
	x->depth--;
	x->key = r == 0 ? key : x->key;
	return r;
}

/* Returns true when a string ends with a sign that a value follows: then its last quote
 * is the first one of that value. */
static bool ends_with_sign(const struct syntax *x, const struct conf_token *k)
{
	const char *s = x->t.text + k->at;
	size_t n = k->len - 1;

	while (n > 1 && strchr(" \t", s[n - 1]))
		n--;
	return n > 1 && strchr("=:,([", s[n - 1]);
}

static int read_string(struct syntax *x)
{
	const char *behind;
	size_t word;

	while (x->tok.type == TOKEN_STRING && !x->tok.is_open)
		advance(x);
	if (x->tok.type == TOKEN_STRING)
		return syntax_fault(x, x->tok.at, "this string does not end");
	behind = x->t.text + syntax_last_end(x);
	word = conf_token_word(&x->t, syntax_last_end(x));
	if (word == 0 || *behind == '/' || x->last.spans ||
	    behind[word + strspn(behind + word, " \t")] == '=')
		return 0;
	if (ends_with_sign(x, &x->last))
		return syntax_report_string(x, &x->last);
	return syntax_fault(
		x, syntax_last_end(x),
		"the string ends before this: a \" in a string is written \\\"");
}

/* Reads a value, in the list or array `within` unless that is NULL. */
static int read_value(struct syntax *x, const struct conf_token *within)
{
	size_t end = x->tok.at + x->tok.len;

	if (syntax_is_sign(&x->tok, x, "{[("))
		return read_bracket(x);
	if (x->tok.type == TOKEN_STRING)
		return read_string(x);
	if (x->tok.type != TOKEN_NUMBER && x->tok.type != TOKEN_BOOL)
		return fault_value(x, within);
	if (strchr(":/@%", x->t.text[end]) && x->t.text[end] &&
	    !str_after(x->t.text + end, "/*") && !str_after(x->t.text + end, "//"))
		return fault_word(x, within);
	advance(x);
	return 0;
}

/* --- the text --------------------------------------------------------------------- */

int conf_syntax_report(const struct conf_lines *lines, struct diag *d)
{
	struct syntax x = {
		.t = {.text = lines->text, .len = lines->len, .line = 1},
		.lines = lines,
		.d = d,
	};
	const char *language = conf_language(lines->text, lines->len);

	if (language)
		return diag_add_at(
			d, &(struct diag_place){.file = lines->pieces[0].name, .line = 1},
			"this is %s: write it as libconfig reads it, key = \"value\";",
			language);
	advance(&x);
	x.last = (struct conf_token){0};
	return read_settings(&x, NULL);
}
