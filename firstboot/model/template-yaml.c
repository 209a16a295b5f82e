/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML, as far as it has to be known where a scalar begins and ends (YAML 1.1, 5 to 9,
 * as libyaml reads it; 1.2 is the same here). A value that begins a scalar becomes one
 * in double quotes. Scalars that go on in the next line are followed only as block
 * scalars.
 *
 * A plain scalar goes on in a line that is indented more than the key or dash before
 * it, and a block scalar ends at one that is not. `parent` has the column of that key
 * or dash; -2 stands for none in the line, -1 for a document's beginning.
 */
#include "firstboot/model/template-yaml.h"

static const char *follow_char(struct template_state *s, char c);

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool yaml_is_delimiter(const struct template_state *s, char c)
{
	return s->depth > 0 && strchr(",[]{}", c);
}

/* --- lines ------------------------------------------------------------------------- */

static const char *end_line(struct template_state *s)
{
	switch (s->at) {
	case AT_DOUBLE:
	case AT_SINGLE:
		return "a scalar in quotes goes on in the next line: write \\n in double "
		       "quotes, or a block with '|'";
	case AT_HEAD:
		s->at = AT_BLOCK;
		s->block = 0;
		s->unsettled = true;
		break;
	case AT_BLOCK:
	case AT_BLOCK_TEXT:
		s->at = AT_BLOCK;
		break;
	case AT_COMMENT:
		s->plain &= s->depth > 0;
		s->at = s->depth > 0 ? s->outer : AT_LINE;
		break;
	case AT_WORD:
		s->at = AT_START;
		break;
	case AT_PLAIN:
		s->at = AT_BLANK;
		break;
	case AT_QUOTE:
	case AT_AFTER:
		s->at = AT_AFTER_BLANK;
		break;
	}
	if (s->depth == 0 && s->at != AT_BLOCK)
		s->at = AT_LINE;
	s->column = 0;
	return NULL;
}

const char *yaml_begin_line(struct template_state *s)
{
	if (s->plain && s->column > s->parent)
		return "a scalar goes on in this line: write it in one line, in quotes, "
		       "or as a block with '|'";
	s->plain = false;
	s->parent = YAML_NO_PARENT;
	s->prefix = true;
	s->at = AT_START;
	return NULL;
}

const char *yaml_begin_block_line(struct template_state *s)
{
	if (s->column <= s->parent) {
		s->at = AT_LINE;
		s->plain = false;
		return NULL;
	}
	if (s->column == 0)
		return "a block scalar is not indented";
	if (s->block > 0 && s->column < s->block)
		return "a line of a block scalar is indented less than its first line";
	if (s->block > 0 && s->unsettled && s->column != s->block)
		return "a line of a block scalar is indented more than one before it "
		       "that may be left out";
	if (s->block == 0)
		s->block = s->column;
	s->unsettled = false;
	s->at = AT_BLOCK_TEXT;
	return NULL;
}

/* --- scalars ----------------------------------------------------------------------- */

static void key(struct template_state *s)
{
	s->at = AT_START;
	s->plain = false;
	s->prefix = false;
	if (s->depth == 0)
		s->parent = s->token;
}

static const char *close_bracket(struct template_state *s)
{
	if (s->depth == 0)
		return "a ']' or '}' closes nothing";
	s->at = AT_AFTER;
	s->depth--;
	s->plain = false;
	return NULL;
}

/* Follows a character at which a scalar or collection can begin. */
static const char *begin_scalar(struct template_state *s, char c)
{
	bool in_block = s->depth == 0;

	if (is_blank(c))
		return NULL;
	if (in_block && s->last != '&')
		s->token = s->column;
	s->last = 0;
	if (c == ',' && s->depth > 0) {
		s->plain = false;
		return NULL;
	}
	if (c == ']' || c == '}')
		return close_bracket(s);
	if (c == '#') {
		s->at = AT_COMMENT;
		s->outer = AT_START;
	} else if ((c == '-' || c == '?') && in_block && s->prefix) {
		s->at = AT_DASH;
	} else if (c == '[' || c == '{') {
		s->depth++;
		s->plain = false;
	} else if ((c == '|' || c == '>') && in_block) {
		if (s->parent == YAML_NO_PARENT)
			return "a block scalar begins a line: begin it behind its key";
		s->at = AT_HEAD;
	} else if (c == '&' || c == '!') {
		s->at = AT_WORD;
		s->last = '&';
	} else if (c == '"' || c == '\'') {
		s->at = c == '"' ? AT_DOUBLE : AT_SINGLE;
		s->plain = false;
	} else {
		s->at = c == ':' ? AT_COLON : AT_PLAIN;
		s->plain = true;
	}
	return NULL;
}

static const char *follow_plain(struct template_state *s, char c)
{
	if (s->at == AT_COLON && (is_blank(c) || yaml_is_delimiter(s, c))) {
		key(s);
		return begin_scalar(s, c);
	}
	if (c == '#' && s->at == AT_BLANK) {
		s->at = AT_COMMENT;
		s->outer = AT_AFTER;
	} else if (yaml_is_delimiter(s, c)) {
		if (c == '[' || c == '{')
			return "a scalar without quotes has a bracket in it";
		s->at = AT_START;
		return begin_scalar(s, c);
	} else {
		s->at = is_blank(c) ? AT_BLANK : c == ':' ? AT_COLON : AT_PLAIN;
	}
	return NULL;
}

static const char *follow_after(struct template_state *s, char c)
{
	if (s->at == AT_AFTER_COLON && is_blank(c)) {
		key(s);
	} else if (s->at == AT_AFTER_COLON) {
		return "a colon behind a key has no blank behind it";
	} else if (is_blank(c)) {
		s->at = AT_AFTER_BLANK;
	} else if (c == '#' && s->at == AT_AFTER_BLANK) {
		s->at = AT_COMMENT;
		s->outer = AT_AFTER;
	} else if (c == ':') {
		s->at = AT_AFTER_COLON;
		if (s->depth > 0 && !s->plain)
			key(s);
	} else if (s->depth > 0 && c == ',') {
		s->at = AT_START;
		s->plain = false;
	} else if (c == ']' || c == '}') {
		return close_bracket(s);
	} else {
		return "text follows a value or a scalar in quotes: put all of the "
		       "scalar into quotes";
	}
	return NULL;
}

/* Follows the characters behind a '-'. */
static const char *follow_dash(struct template_state *s, char c)
{
	bool marker = s->token == 0 && c == '-' && s->column < 3;

	if (is_blank(c) && (s->at == AT_DASH || s->column == 3)) {
		s->parent = s->at == AT_DASH ? s->token : -1;
		s->prefix = s->at == AT_DASH;
		s->at = AT_START;
		return NULL;
	}
	s->at = marker ? AT_MARKER : AT_PLAIN;
	s->plain = true;
	return marker ? NULL : follow_plain(s, c);
}

static const char *follow_double(struct template_state *s, char c)
{
	if (s->escaped) {
		s->escaped = false;
		s->digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
		return NULL;
	}
	s->at = c == '"' ? AT_AFTER : AT_DOUBLE;
	s->digits -= s->digits > 0;
	if (s->at == AT_AFTER)
		s->digits = 0;
	s->escaped = c == '\\';
	return NULL;
}

static const char *follow_head(struct template_state *s, char c)
{
	if (s->last == '#' || is_blank(c) || c == '+' || c == '-')
		return NULL;
	s->last = c;
	return c == '#' ? NULL
			: "the head of a block scalar may have '+', '-' or a comment";
}

static const char *follow_char(struct template_state *s, char c)
{
	const char *wrong;

	switch (s->at) {
	case AT_LINE:
		if (c == ' ')
			return NULL;
		if (c == '\t')
			return "a tab is in the indentation";
		wrong = yaml_begin_line(s);
		if (c != '%' || s->column > 0 || wrong)
			return wrong ? wrong : begin_scalar(s, c);
		s->at = AT_COMMENT; /* a directive */
		return NULL;
	case AT_START:
		return begin_scalar(s, c);
	case AT_DASH:
	case AT_MARKER:
		return follow_dash(s, c);
	case AT_WORD:
		s->at = is_blank(c) || yaml_is_delimiter(s, c) ? AT_START : AT_WORD;
		return s->at == AT_START ? begin_scalar(s, c) : NULL;
	case AT_PLAIN:
	case AT_BLANK:
	case AT_COLON:
		return follow_plain(s, c);
	case AT_QUOTE:
		s->at = c == '\'' ? AT_SINGLE : AT_AFTER;
		return c == '\'' ? NULL : follow_after(s, c);
	case AT_AFTER:
	case AT_AFTER_BLANK:
	case AT_AFTER_COLON:
		return follow_after(s, c);
	case AT_DOUBLE:
		return follow_double(s, c);
	case AT_SINGLE:
		s->at = c == '\'' ? AT_QUOTE : AT_SINGLE;
		return NULL;
	case AT_HEAD:
		return follow_head(s, c);
	case AT_BLOCK:
		if (c == ' ')
			return NULL;
		wrong = yaml_begin_block_line(s);
		return wrong || s->at == AT_BLOCK_TEXT ? wrong : follow_char(s, c);
	}
	return NULL;
}

const char *yaml_follow(struct template_state *s, char c)
{
	const char *wrong;

	if (c == '\n' && (s->at == AT_DASH || s->at == AT_MARKER)) {
		wrong = follow_dash(s, ' ');
		return wrong ? wrong : end_line(s);
	}
	if (c == '\n' && (s->at == AT_COLON || s->at == AT_AFTER_COLON))
		key(s);
	if (c == '\n' && s->at == AT_HEAD)
		s->last = 0;
	if (c == '\n')
		return end_line(s);
	wrong = follow_char(s, c);
	s->column++;
	return wrong;
}
