/* SPDX-License-Identifier: Apache-2.0 */
/* Values and sections in YAML. */
#include "firstboot/model/template-yaml.h"

/* --- tags -------------------------------------------------------------------------- */

static const char *tag(struct template_state *s)
{
	if (s->at == AT_QUOTE)
		s->at = AT_AFTER;
	if (s->escaped || s->digits > 0)
		return "follows a backslash";
	if (s->at == AT_DASH || s->at == AT_MARKER || s->at == AT_COLON ||
	    s->at == AT_AFTER_COLON || s->at == AT_WORD || s->at == AT_HEAD)
		return "follows a '-', ':', '|', '>', '&' or '!': put all of the scalar "
		       "into quotes";
	return NULL;
}

/* Goes behind a value that begins a scalar. Within brackets, a key in quotes ends at each
 * colon, one without them at a colon before a blank. */
static enum template_place begin_value(struct template_state *s, const char *after,
				       bool quote)
{
	bool ends = !after || !*after || strchr(" \t\n", *after) ||
		    yaml_is_delimiter(s, *after) ||
		    (*after == ':' &&
		     ((s->depth > 0 && quote) || !after[1] || strchr(" \t\n", after[1])));

	if (s->depth == 0 && s->last != '&')
		s->token = s->column;
	s->last = 0;
	s->prefix = false;
	s->at = ends ? AT_AFTER : AT_PLAIN;
	s->plain |= !ends || !quote;
	return ends ? PLACE_WHOLE : PLACE_NAME;
}

static const char *value(struct template_state *s, const char *after, bool quote,
			 enum template_place *ret)
{
	const char *wrong = tag(s);

	if (!wrong && s->at == AT_BLOCK) {
		wrong = yaml_begin_block_line(s);
		*ret = PLACE_BLOCK;
		if (!wrong && s->at == AT_BLOCK_TEXT)
			return NULL;
	}
	if (!wrong && s->at == AT_LINE)
		wrong = yaml_begin_line(s);
	if (wrong)
		return wrong;
	switch (s->at) {
	case AT_START:
		*ret = begin_value(s, after, quote);
		return NULL;
	case AT_PLAIN:
	case AT_BLANK:
		s->at = AT_PLAIN;
		*ret = PLACE_PART;
		return NULL;
	case AT_COMMENT:
		*ret = PLACE_PLAIN;
		return NULL;
	case AT_DOUBLE:
	case AT_SINGLE:
		*ret = s->at == AT_DOUBLE ? PLACE_DOUBLE : PLACE_SINGLE;
		return NULL;
	case AT_BLOCK_TEXT:
		*ret = PLACE_BLOCK_REST;
		return NULL;
	}
	return "is behind a value or a scalar in quotes: put all of the scalar into "
	       "quotes";
}

/* --- sections ---------------------------------------------------------------------- */

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

/* Returns true within a line, outside of quotes, where tag() lets a section be. */
static bool is_within(int at)
{
	return at == AT_START || at == AT_PLAIN || at == AT_BLANK || at == AT_AFTER ||
	       at == AT_AFTER_BLANK;
}

/* Returns the state that stands for two, or -1. Behind a scalar that begins only in one
 * of them nothing may follow but its end. A block scalar may end in one of them. */
static int join_at(int a, int b)
{
	int low = least(a, b), high = most(a, b);

	if (a == b)
		return a;
	if (low == AT_LINE && high == AT_BLOCK)
		return AT_LINE;
	if (low == AT_LINE && high == AT_START)
		return -1;
	return (low == AT_LINE || is_within(low)) && is_within(high) ? AT_AFTER : -1;
}

/* Checks if the parts of two states that matter are the same. */
static bool fits(const struct template_state *s, const struct template_state *o, int at)
{
	if (s->depth != o->depth)
		return false;
	switch (at) {
	case AT_LINE:
		return s->column == o->column;
	case AT_START:
		return s->depth > 0 ||
		       (s->prefix == o->prefix && s->parent == o->parent &&
			(!s->prefix || s->column == o->column));
	case AT_COMMENT:
		return s->depth == 0 || s->outer == o->outer;
	case AT_BLOCK:
	case AT_BLOCK_TEXT:
		return s->parent == o->parent &&
		       (at == AT_BLOCK_TEXT || s->column == o->column) &&
		       (s->block == o->block || s->block == 0 || o->block == 0);
	}
	return true;
}

/* Returns the column at which the scalar begins or would begin. */
static int token(const struct template_state *s)
{
	return s->at == AT_LINE || s->at == AT_START ? s->column : s->token;
}

static bool join(struct template_state *s, const struct template_state *o)
{
	int at = join_at(s->at, o->at);
	bool ends =
		at == AT_LINE && s->at != o->at; /* the block scalar, in one of them */
	bool plain = s->plain || (ends && s->at == AT_BLOCK),
	     other = o->plain || (ends && o->at == AT_BLOCK);

	if (at < 0 || !fits(s, o, at))
		return false;
	/* The next line may belong to neither scalar. */
	if (plain == other)
		s->parent = least(s->parent, o->parent);
	else if (other)
		s->parent = o->parent;
	/* Within brackets, there may be no quotes before a colon. */
	s->plain = plain || other || (s->depth > 0 && s->at != o->at);
	s->token = least(token(s), token(o));
	s->at = at;
	s->last = most(s->last, o->last);
	s->outer = most(s->outer, o->outer);
	s->prefix = s->prefix && o->prefix;
	s->block = ends ? 0 : most(s->block, o->block);
	s->unsettled = !ends && (s->unsettled || o->unsettled);
	if (at != AT_LINE && at != AT_BLOCK && !(at == AT_START && s->prefix))
		s->column = 0; /* it does not matter, and grows in each round of a loop */
	return true;
}

static const char *describe(const struct template_state *s)
{
	switch (s->at) {
	case AT_LINE:
		return "at the beginning of a line";
	case AT_COMMENT:
		return "in a comment";
	case AT_DOUBLE:
		return "inside of double quotes";
	case AT_SINGLE:
		return "inside of single quotes";
	case AT_BLOCK:
		return "at the beginning of a line of a block scalar";
	case AT_BLOCK_TEXT:
		return "in a line of a block scalar";
	}
	return s->depth > 0 ? "within brackets" : "outside of quotes";
}

/* --- writing ----------------------------------------------------------------------- */

#define WORD_CHARS TEMPLATE_LETTERS TEMPLATE_DIGITS "_/"

/* Returns why a value may not be in a plain scalar, or NULL. */
static const char *wrong_part(enum template_place place, const char *v)
{
	if (!*v)
		return "is empty: put all of the scalar into quotes";
	if (!template_has_only(v, WORD_CHARS ".-"))
		return "has another character than A-Z a-z 0-9 _ . / -: put all of the "
		       "scalar into quotes";
	if (!strpbrk(v, WORD_CHARS) || (place == PLACE_NAME && !strchr(WORD_CHARS, *v)))
		return "begins with '-' or '.': put all of the scalar into quotes";
	return NULL;
}

/* Returns why a value may not be in YAML without an escape, or NULL (c-printable). */
static const char *wrong_unescaped(const char *v)
{
	if (strstr(v, "\xef\xbf\xbe") || strstr(v, "\xef\xbf\xbf") ||
	    strstr(v, "\xef\xbb\xbf"))
		return "has a character that YAML does not allow";
	return template_control(v);
}

static const char *append(struct buf *b, enum template_place place, const char *v,
			  bool quote)
{
	bool quotes = place == PLACE_WHOLE && quote;
	const char *wrong = NULL;

	if (place == PLACE_NAME || place == PLACE_PART)
		wrong = wrong_part(place, v);
	else if (place != PLACE_WHOLE && place != PLACE_DOUBLE)
		wrong = wrong_unescaped(v);
	if (!wrong && place == PLACE_BLOCK && (!*v || *v == ' '))
		wrong = "is empty or begins with a blank, which would change the "
			"indentation";
	if (wrong)
		return wrong;
	if (place == PLACE_SINGLE) {
		template_write_escaped(b, v, "'", "'");
	} else if (place == PLACE_WHOLE || place == PLACE_DOUBLE) {
		buf_puts(b, quotes ? "\"" : "");
		template_write_json(b, v);
		buf_puts(b, quotes ? "\"" : "");
	} else {
		buf_puts(b, v);
	}
	return NULL;
}

const struct template_type template_yaml = {
	.name = "yaml",
	.flags = true,
	.start = {.prefix = true, .parent = YAML_NO_PARENT},
	.follow = yaml_follow,
	.value = value,
	.tag = tag,
	.join = join,
	.describe = describe,
	.append = append,
};
