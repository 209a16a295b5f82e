/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts of sh (POSIX, Shell Command Language, 2.2 and 2.3). Quotes, comments and words
 * are followed; substitutions only as far as they have no quotes in them. Behind a place
 * where the quoting becomes uncertain (AT_LOST) no value is accepted: a script sets
 * variables from the values at its beginning.
 *
 * A value outside of quotes gets its own: without them it could be a reserved word, an
 * assignment, the number of a descriptor, or a range in a pattern. Only the name of an
 * assignment may have none.
 */
#include "firstboot/model/template-parts.h"

#define NAME_CHARS TEMPLATE_LETTERS TEMPLATE_DIGITS "_"

/* In place of the last character; the template's text has no such characters. */
#define NAME     1 /* the word so far has only characters of names */
#define VARIABLE 2 /* the text so far ends in '$' and a name */

enum {
	AT_BLANK, /* a word or comment may begin */
	AT_WORD,
	AT_EITHER, /* one of these two */
	AT_COMMENT,
	AT_SINGLE,
	AT_DOUBLE,
	AT_COMMAND, /* in $( ) */
	AT_BRACE,   /* in ${ } */
	AT_BACKQUOTE,
	AT_LOST, /* it is not known */
};

/* Goes into a substitution. */
static const char *substitute(struct template_state *s, int at)
{
	s->outer = s->at == AT_DOUBLE ? AT_DOUBLE : AT_WORD;
	s->at = at;
	s->depth = 1;
	s->digits = 0;
	return NULL;
}

/* Follows `case` in $( ), whose patterns end in a ')' without '('. */
static bool is_case(struct template_state *s, char c)
{
	s->digits = c == "case"[s->digits] ? s->digits + 1 : c == 'c';
	return s->digits == 4;
}

static void follow_substitution(struct template_state *s, char c)
{
	static const char *const uncertain[] = {
		[AT_COMMAND] = "'\"\\`#{\n",
		[AT_BRACE] = "'\"\\`${\n",
		[AT_BACKQUOTE] = "'\"\\({#\n",
	};
	static const char ends[] = {
		[AT_COMMAND] = ')', [AT_BRACE] = '}', [AT_BACKQUOTE] = '`'};

	if (strchr(uncertain[s->at], c) || (c == '<' && s->last == '<') ||
	    (s->at == AT_COMMAND && is_case(s, c)))
		s->at = AT_LOST;
	else if (c == '(' && s->at == AT_COMMAND)
		s->depth++;
	else if (c == ends[s->at] && --s->depth == 0)
		s->at = s->outer;
}

static const char *follow_bare(struct template_state *s, char c, int last)
{
	if (c == '#' && s->at == AT_EITHER)
		return "'#' begins a comment only if a section before it is left out or "
		       "not: put a blank before it";
	if (c == '#' && s->at == AT_BLANK)
		s->at = AT_COMMENT;
	else if ((c == '<' && last == '<') || (c == '(' && last == '(') ||
		 (c == '\'' && last == '$'))
		s->at = AT_LOST;
	else if (c == '\'')
		s->at = AT_SINGLE;
	else if (c == '"')
		s->at = AT_DOUBLE;
	else
		s->at = strchr(" \t\n;&|<>()", c) ? AT_BLANK : AT_WORD;
	return NULL;
}

/* Follows the character behind a backslash. The shell removes a backslash with a newline
 * before it looks for words, so that nothing else changes. */
static const char *follow_escaped(struct template_state *s, char c)
{
	s->escaped = false;
	if (c == '\n')
		return NULL;
	s->last = 0;
	s->at = s->at == AT_DOUBLE ? AT_DOUBLE : AT_WORD;
	return NULL;
}

/* Returns the last character, or what is in place of it. */
static int last_of(const struct template_state *s, char c)
{
	if (!strchr(NAME_CHARS, c))
		return c;
	if (s->last == VARIABLE || (s->last == '$' && !strchr(TEMPLATE_DIGITS, c)))
		return VARIABLE;
	return s->at == AT_BLANK || s->at == AT_EITHER || s->last == NAME ? NAME : c;
}

static const char *follow(struct template_state *s, char c)
{
	int last = s->last;

	if (s->escaped)
		return follow_escaped(s, c);
	if (c == '\\' && (s->at <= AT_EITHER || s->at == AT_DOUBLE)) {
		s->escaped = true;
		return NULL;
	}
	s->last = last_of(s, c);
	switch (s->at) {
	case AT_LOST:
		return NULL;
	case AT_COMMENT:
		s->at = c == '\n' ? AT_BLANK : AT_COMMENT;
		return NULL;
	case AT_SINGLE:
		s->at = c == '\'' ? AT_WORD : AT_SINGLE;
		return NULL;
	case AT_COMMAND:
	case AT_BRACE:
	case AT_BACKQUOTE:
		s->last = last;
		follow_substitution(s, c);
		s->last = c;
		return NULL;
	}
	if (c == '`')
		return substitute(s, AT_BACKQUOTE);
	if (last == '$' && (c == '(' || c == '{'))
		return substitute(s, c == '(' ? AT_COMMAND : AT_BRACE);
	if (s->at != AT_DOUBLE)
		return follow_bare(s, c, last);
	s->at = c == '"' ? AT_WORD : AT_DOUBLE;
	return NULL;
}

static bool is_substituted(const struct template_state *s)
{
	return s->at == AT_COMMAND || s->at == AT_BRACE || s->at == AT_BACKQUOTE;
}

static const char *tag(struct template_state *s)
{
	if (s->escaped)
		return "follows a backslash";
	if (is_substituted(s))
		return "is within $(...), ${...} or `...`: set a variable from it above "
		       "that, and use the variable";
	if ((s->at <= AT_EITHER || s->at == AT_DOUBLE) && s->last &&
	    strchr("$<(", s->last))
		return "follows a '$', '<' or '(': put a blank between";
	return NULL;
}

/* Returns true for a value that is a part of the name of an assignment. */
static bool is_assigned(const struct template_state *s, const char *after)
{
	return s->at <= AT_EITHER && s->last != VARIABLE &&
	       (s->at != AT_WORD || s->last == NAME) && after &&
	       after[strspn(after, NAME_CHARS)] == '=';
}

static const char *value(struct template_state *s, const char *after, bool quote _unused_,
			 enum template_place *ret)
{
	static const enum template_place places[] = {
		[AT_BLANK] = PLACE_WHOLE,   [AT_WORD] = PLACE_WHOLE,
		[AT_EITHER] = PLACE_WHOLE,  [AT_COMMENT] = PLACE_PLAIN,
		[AT_SINGLE] = PLACE_SINGLE, [AT_DOUBLE] = PLACE_DOUBLE,
	};
	bool assigned = is_assigned(s, after);

	if (s->at == AT_LOST)
		return "is behind a here-document, or behind quotes within $(...), "
		       "${...} or `...`: set a variable from it above that, and use the "
		       "variable";
	if (s->at == AT_DOUBLE && s->last == VARIABLE)
		return "follows the name of a variable, and would be a part of it: write "
		       "${NAME} in place of $NAME";
	if (s->last != '$' && !is_substituted(s) && !s->escaped)
		s->last = 0;
	if (tag(s))
		return tag(s);
	*ret = assigned ? PLACE_NAME : places[s->at];
	if (s->at <= AT_EITHER) {
		s->at = AT_WORD;
		s->last = assigned ? NAME : 0;
	}
	return NULL;
}

static bool join(struct template_state *s, const struct template_state *other)
{
	int last = s->last == other->last && s->last == NAME ? NAME : 0;

	if (s->last == VARIABLE || other->last == VARIABLE)
		last = VARIABLE;
	if (s->at == AT_LOST || other->at == AT_LOST)
		*s = (struct template_state){.at = AT_LOST};
	else if (s->at <= AT_EITHER && other->at <= AT_EITHER)
		s->at = s->at == other->at ? s->at : AT_EITHER;
	else if (s->at != other->at)
		return false;
	/* tag() has seen that the rest does not matter here. */
	*s = (struct template_state){.at = s->at, .last = last};
	return true;
}

static const char *describe(const struct template_state *s)
{
	static const char *const texts[] = {
		[AT_BLANK] = "outside of quotes",
		[AT_WORD] = "outside of quotes",
		[AT_EITHER] = "outside of quotes",
		[AT_COMMENT] = "in a comment",
		[AT_SINGLE] = "inside of single quotes",
		[AT_DOUBLE] = "inside of double quotes",
		[AT_COMMAND] = "inside of $(...)",
		[AT_BRACE] = "inside of ${...}",
		[AT_BACKQUOTE] = "inside of `...`",
		[AT_LOST] = "at a place whose quoting is unknown",
	};

	return texts[s->at];
}

static const char *append(struct buf *b, enum template_place place, const char *v,
			  bool quote _unused_)
{
	bool quotes = place == PLACE_WHOLE ||
		      (place == PLACE_NAME && (!*v || !template_has_only(v, NAME_CHARS)));

	if (place == PLACE_PLAIN)
		return template_write_plain(b, v);
	if (place == PLACE_DOUBLE) {
		template_write_escaped(b, v, "\"\\$`", "\\");
		return NULL;
	}
	if (quotes)
		buf_puts(b, "'");
	for (; *v; v++)
		if (*v == '\'')
			buf_puts(b, "'\\''");
		else
			buf_add(b, v, 1);
	if (quotes)
		buf_puts(b, "'");
	return NULL;
}

const struct template_type template_shell = {
	.name = "shell",
	.follow = follow,
	.value = value,
	.tag = tag,
	.join = join,
	.describe = describe,
	.append = append,
};
