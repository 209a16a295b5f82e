/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of EnvironmentFile=, as systemd reads them since version 219 (load_env_file() of
 * src/basic/env-file.c, fileio.c then) and as a shell does. Versions and shells differ
 * about much; the template's own text is refused where they do.
 */
#include "firstboot/model/template-parts.h"

#define NAME_CHARS TEMPLATE_LETTERS TEMPLATE_DIGITS "_"

enum {
	AT_LINE, /* its beginning */
	AT_COMMENT,
	AT_NAME,
	AT_BEGIN,  /* behind '=' */
	AT_BARE,   /* in a value */
	AT_QUOTED, /* behind a closing quote */
	AT_DOUBLE,
	AT_SINGLE,
};

static const char *follow_escaped(struct template_state *s, char c)
{
	s->escaped = false;
	if (s->at == AT_COMMENT && c == '\n')
		return "a comment ends in a backslash: systemd takes the next line for a "
		       "part of it";
	if (s->at == AT_DOUBLE && !strchr("\"\\$`\n", c))
		return "a backslash in double quotes is not before \", \\, $ or `: "
		       "versions of systemd differ about it";
	return NULL;
}

/* Returns true where the first character of a name may be next. */
static bool begins_name(const struct template_state *s)
{
	return s->at == AT_LINE || (s->at == AT_NAME && s->unsettled);
}

static const char *follow_line(struct template_state *s, char c)
{
	if (strchr("\n\t ", c) && s->at == AT_LINE)
		return NULL;
	if (c == ';' && s->at == AT_LINE)
		return "a ';' begins a comment only for systemd: write '#'";
	if (c == '#' && s->at == AT_LINE) {
		s->at = AT_COMMENT;
	} else if (strchr(TEMPLATE_DIGITS, c) && begins_name(s)) {
		return "the name of a variable begins with a digit";
	} else if (strchr(NAME_CHARS, c)) {
		s->at = AT_NAME;
		s->unsettled = false;
	} else if (c == '=' && s->at == AT_NAME && s->unsettled) {
		return "a name is empty if a section before the '=' is left out";
	} else if (c == '=' && s->at == AT_NAME) {
		s->at = AT_BEGIN;
	} else {
		return "a line is neither a comment nor NAME=VALUE";
	}
	return NULL;
}

static const char *follow_bare(struct template_state *s, char c)
{
	if (strchr(" \t&|<>();~", c))
		return "a blank or a sign of the shell is outside of quotes: put the "
		       "value into double quotes";
	if (strchr("$`", c))
		return "'$' or '`' is not a text to a shell: put a backslash before it";
	if (strchr("\"'", c) && s->at == AT_BARE)
		return "a quotation mark is within a value: systemd reads it only at the "
		       "beginning";
	s->escaped = c == '\\';
	s->at = c == '\n'   ? AT_LINE
		: c == '"'  ? AT_DOUBLE
		: c == '\'' ? AT_SINGLE
			    : AT_BARE;
	return NULL;
}

static const char *follow(struct template_state *s, char c)
{
	if (s->escaped)
		return follow_escaped(s, c);
	switch (s->at) {
	case AT_LINE:
	case AT_NAME:
		return follow_line(s, c);
	case AT_COMMENT:
		s->escaped = c == '\\';
		s->at = c == '\n' ? AT_LINE : AT_COMMENT;
		return NULL;
	case AT_DOUBLE:
		if (strchr("$`", c))
			return "'$' or '`' is not a text to a shell: put a backslash "
			       "before it";
		s->escaped = c == '\\';
		s->at = c == '"' ? AT_QUOTED : AT_DOUBLE;
		return NULL;
	case AT_SINGLE:
		if (c == '\\')
			return "a backslash is in single quotes: versions of systemd "
			       "differ about it";
		s->at = c == '\'' ? AT_QUOTED : AT_SINGLE;
		return NULL;
	default:
		return follow_bare(s, c);
	}
}

static const char *tag(struct template_state *s)
{
	return s->escaped ? "follows a backslash" : NULL;
}

static const char *value(struct template_state *s, const char *after, bool quote _unused_,
			 enum template_place *ret)
{
	static const enum template_place places[] = {
		[AT_LINE] = PLACE_NAME,      [AT_COMMENT] = PLACE_PLAIN,
		[AT_NAME] = PLACE_NAME_REST, [AT_BEGIN] = PLACE_PART,
		[AT_BARE] = PLACE_PART,      [AT_QUOTED] = PLACE_PART,
		[AT_DOUBLE] = PLACE_DOUBLE,  [AT_SINGLE] = PLACE_SINGLE,
	};
	bool ends = after && (!*after || *after == '\n');

	*ret = s->at == AT_BEGIN && ends ? PLACE_WHOLE : places[s->at];
	if (begins_name(s))
		*ret = PLACE_NAME;
	s->unsettled = false;
	if (s->at == AT_LINE)
		s->at = AT_NAME;
	else if (s->at == AT_BEGIN || s->at == AT_QUOTED)
		s->at = AT_BARE;
	return tag(s);
}

/* Each state stands for those before it of its group: what may follow it may follow them,
 * too, and means the same. */
static bool join(struct template_state *s, const struct template_state *other)
{
	int low = s->at < other->at ? s->at : other->at,
	    high = s->at < other->at ? other->at : s->at;

	s->unsettled |= other->unsettled || (low == AT_LINE && high == AT_NAME);
	if (low == high)
		return true;
	if (low == AT_LINE && high == AT_NAME)
		s->at = AT_NAME;
	else if (low == AT_BEGIN && high == AT_QUOTED)
		s->at = AT_QUOTED;
	else if (low >= AT_BEGIN && high <= AT_QUOTED)
		s->at = AT_BARE;
	else
		return false;
	return true;
}

static const char *describe(const struct template_state *s)
{
	static const char *const texts[] = {
		[AT_LINE] = "at the beginning of a line",
		[AT_COMMENT] = "in a comment",
		[AT_NAME] = "in a name",
		[AT_BEGIN] = "outside of quotes",
		[AT_BARE] = "outside of quotes",
		[AT_QUOTED] = "outside of quotes",
		[AT_DOUBLE] = "inside of double quotes",
		[AT_SINGLE] = "inside of single quotes",
	};

	return texts[s->at];
}

static const char *write_name(struct buf *b, enum template_place place, const char *v)
{
	if (!template_has_only(v, NAME_CHARS))
		return "is no name of a variable: it may have letters, digits and '_'";
	if (place == PLACE_NAME && (!*v || strchr(TEMPLATE_DIGITS, *v)))
		return "is no name of a variable: it must begin with a letter or '_'";
	buf_puts(b, v);
	return NULL;
}

static const char *append(struct buf *b, enum template_place place, const char *v,
			  bool quote _unused_)
{
	static const char in_quotes[] = "\"\\$`";
	const char *wrong = template_control(v);

	if (wrong)
		return wrong;
	if (place == PLACE_NAME || place == PLACE_NAME_REST)
		return write_name(b, place, v);
	if (place == PLACE_PLAIN && strchr(v, '\\'))
		return "has a backslash, which may not be in a comment";
	if (place == PLACE_SINGLE && strpbrk(v, "'\\"))
		return "has a single quote or a backslash: use double quotes around the "
		       "tag";
	if (place == PLACE_PART) {
		template_write_escaped(b, v, " \"'\\$`#;&|<>()*?[]{}~!^", "\\");
	} else if (place == PLACE_DOUBLE) {
		template_write_escaped(b, v, in_quotes, "\\");
	} else if (place == PLACE_WHOLE && strpbrk(v, " #;&|<>()*?[]{}~!\"'\\$`")) {
		buf_puts(b, "\"");
		template_write_escaped(b, v, in_quotes, "\\");
		buf_puts(b, "\"");
	} else {
		buf_puts(b, v);
	}
	return NULL;
}

const struct template_type template_environment = {
	.name = "environment",
	.follow = follow,
	.value = value,
	.tag = tag,
	.join = join,
	.describe = describe,
	.append = append,
};
