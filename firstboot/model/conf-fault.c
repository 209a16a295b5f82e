/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports mistakes of syntax. A quote that is missing shows only later: everything
 * behind it is read with strings and text exchanged. A string that ends in another line
 * and has a letter or digit directly behind it is therefore the mistake that is
 * reported.
 *
 * Limit: a line is not shown if it may have a secret in it.
 */
#include "firstboot/model/conf-fault.h"

#include "firstboot/model/conf-language.h"
#include "firstboot/model/conf-syntax.h"
#include "lib/excerpt.h"
#include "lib/url.h"

#include <stdarg.h>

bool syntax_secret_key(const char *s, size_t len)
{
	return memmem(s, len, "token", 5) || memmem(s, len, "password", 8) ||
	       memmem(s, len, "secret", 6);
}

static bool is_secret(const struct syntax *x, const char *line)
{
	return syntax_secret_key(line, strlen(line)) || url_has_userinfo(line) ||
	       syntax_secret_key(x->t.text + x->key.at, x->key.len);
}

static void show(const struct syntax *x, size_t at)
{
	size_t from = at < x->t.len ? at : x->t.len;
	_cleanup_free_ char *line = NULL, *shown = NULL;

	while (from > 0 && x->t.text[from - 1] != '\n')
		from--;
	line = xstrndup(x->t.text + from, strcspn(x->t.text + from, "\n"));
	if (!is_secret(x, line))
		shown = excerpt(x->t.text, x->t.len, at);
	if (shown) {
		_cleanup_buf_ struct buf b = {0};
		size_t n = strcspn(shown, "\n");

		buf_printf(&b, "    %.*s\n    %s", (int)n, shown, shown + n + 1);
		diag_detail(x->d, b.p);
	}
}

static unsigned line_of(const struct syntax *x, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at && i < x->t.len; i++)
		line += x->t.text[i] == '\n';
	return line;
}

/* Adds "FILE:LINE: MESSAGE" about an offset in a line of the text, or in an earlier one:
 * then the column is not known. */
static void complain(const struct syntax *x, unsigned line, size_t offset,
		     const char *message)
{
	struct diag_place at = {.column = 0};
	size_t from = offset < x->t.len ? offset : x->t.len;
	const size_t end = from;

	while (from > 0 && x->t.text[from - 1] != '\n')
		from--;
	if (line_of(x, from) == line)
		at.column = (unsigned)(end - from) + 1;
	at.file = conf_lines_place(x->lines, line, &at.line);
	diag_add_at(x->d, &at, "%s", message);
}

char *syntax_place(const struct syntax *x, unsigned line, size_t at)
{
	unsigned there, here;
	const char *name = conf_lines_place(x->lines, line, &there);

	if (name == conf_lines_place(x->lines, line_of(x, at), &here))
		return xasprintf("line %u", there);
	return xasprintf("%s:%u", name, there);
}

bool syntax_is_sign(const struct conf_token *k, const struct syntax *x, const char *signs)
{
	return k->type == TOKEN_SIGN && strchr(signs, x->t.text[k->at]);
}

/* Returns the string that spans lines by mistake, or NULL. */
static const struct conf_token *unclosed_string(const struct syntax *x)
{
	if (x->suspect.len)
		return &x->suspect;
	if (x->spanning.len && (x->spanning.is_open || x->last.at == x->spanning.at))
		return &x->spanning;
	return x->tok.is_open ? &x->tok : NULL;
}

int syntax_report_string(struct syntax *x, const struct conf_token *k)
{
	const char *s = x->t.text + k->at, *smart = NULL;
	_cleanup_free_ char *msg = NULL;
	size_t n = strcspn(s, "\n");

	for (size_t i = 0; i < n && !smart; i++)
		smart = conf_smart_quote(s + i) ? s + i : NULL;
	msg = xasprintf("this string has no closing quotation mark%s%.*s%s",
			smart ? ": " : "", smart ? (int)conf_smart_quote(smart) : 0,
			smart ? smart : "",
			smart ? " is a typographic one, write \"" : "");
	complain(x, k->line, smart ? (size_t)(smart - x->t.text) : k->at, msg);
	show(x, smart ? (size_t)(smart - x->t.text) : k->at);
	return -1;
}

/* Reports a mistake at an offset, or the string without an end that caused it. */
int syntax_fault(struct syntax *x, size_t at, const char *fmt, ...)
{
	const struct conf_token *string = unclosed_string(x);
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	if (string && string->at <= at)
		return syntax_report_string(x, string);
	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	complain(x, line_of(x, at), at, msg);
	show(x, at);
	return -1;
}

size_t syntax_last_end(const struct syntax *x)
{
	return x->last.at + x->last.len;
}

int syntax_fault_open(struct syntax *x, const struct conf_token *open)
{
	char c = x->t.text[open->at];

	return syntax_fault(x, open->at, "this '%c' is not closed: a '%c' is missing", c,
			    c == '{'   ? '}'
			    : c == '(' ? ')'
				       : ']');
}

/* Reports a bracket that closes another one than the last that was opened. */
int syntax_fault_close(struct syntax *x, const struct conf_token *open)
{
	char c = x->t.text[x->tok.at], o = open ? x->t.text[open->at] : '\0';
	_cleanup_free_ char *place = NULL;

	if (!open)
		return syntax_fault(x, x->tok.at, "this '%c' closes nothing: delete it",
				    c);
	place = syntax_place(x, open->line, x->tok.at);
	return syntax_fault(x, x->tok.at,
			    "'%c' does not close the '%c' of %s: '%c' is missing", c, o,
			    place,
			    o == '{'   ? '}'
			    : o == '(' ? ')'
				       : ']');
}

/* Reports a character that cannot be where it is. */
int syntax_fault_other(struct syntax *x)
{
	const char *s = x->t.text + x->tok.at;
	_cleanup_free_ char *what = conf_character(s);

	if (x->tok.type == TOKEN_COMMENT)
		return syntax_fault(x, x->tok.at,
				    "this comment is not terminated: */ is missing");
	if (what)
		return syntax_fault(x, x->tok.at, "%s", what);
	if (str_after(s, "@include"))
		return syntax_fault(x, x->tok.at,
				    "write @include \"FILE\" in a line of its own");
	return syntax_fault(x, x->tok.at, "'%.*s' is not expected here", (int)x->tok.len,
			    s);
}

int conf_syntax_report_line(const struct conf_lines *lines, unsigned line,
			    const char *message, struct diag *d)
{
	struct syntax x = {
		.t = {.text = lines->text, .len = lines->len}, .lines = lines, .d = d};
	size_t at = 0;

	for (unsigned i = 1; i < line && at < lines->len; i++) {
		at += strcspn(lines->text + at, "\n");
		at += at < lines->len;
	}
	at += strspn(lines->text + at, " \t");
	complain(&x, line, at, message);
	show(&x, at);
	return -1;
}
