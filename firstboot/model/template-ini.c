/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit files of systemd and other files of sections and KEY=VALUE. Dialects differ about
 * quotes, blanks and comments behind a value: a value beside other text may have nothing
 * that one of them could take for more than text, a whole value only nothing at its ends.
 */
#include "firstboot/model/template-parts.h"

enum {
	AT_LINE, /* its beginning */
	AT_COMMENT,
	AT_SECTION,
	AT_SECTION_END,
	AT_KEY,
	AT_BEGIN, /* behind '=' */
	AT_VALUE,
};

static const char *follow_line(struct template_state *s, char c)
{
	if (c == '\n') {
		s->at = AT_LINE;
		s->unsettled = false;
	} else if (s->at == AT_LINE && strchr("#;", c)) {
		s->at = AT_COMMENT;
	} else if (s->at == AT_LINE && c == '[') {
		s->at = AT_SECTION;
	} else if (strchr("#;\\", c) || (c == '[' && s->unsettled)) {
		return "a key has a '#', ';', '[' or backslash in it";
	} else if (c == '=') {
		s->at = AT_BEGIN;
	} else if (s->at == AT_KEY || !strchr(" \t", c)) {
		s->at = AT_KEY;
	}
	return NULL;
}

static const char *follow_section(struct template_state *s, char c)
{
	if (s->at == AT_SECTION) {
		if (c == '\n')
			return "the head of a section has no ']'";
		s->at = c == ']' ? AT_SECTION_END : AT_SECTION;
	} else if (strchr("#;", c)) {
		s->at = AT_COMMENT;
	} else if (c == '\n') {
		s->at = AT_LINE;
	} else if (!strchr(" \t", c)) {
		return "text follows the head of a section";
	}
	return NULL;
}

static const char *follow(struct template_state *s, char c)
{
	bool escaped = s->escaped;

	s->escaped = false;
	switch (s->at) {
	case AT_LINE:
	case AT_KEY:
		return follow_line(s, c);
	case AT_SECTION:
	case AT_SECTION_END:
		return follow_section(s, c);
	case AT_COMMENT:
		if (escaped && c == '\n')
			return "a comment ends in a backslash: systemd 219 takes the "
			       "next line for a part of it";
		break;
	case AT_BEGIN:
		if (!strchr(" \t", c))
			s->at = AT_VALUE;
	}
	if (c == '\n' && !escaped) {
		s->at = AT_LINE;
		s->unsettled = false;
	}
	s->escaped = c == '\\' && !escaped;
	return NULL;
}

static const char *tag(struct template_state *s)
{
	return s->escaped ? "follows a backslash" : NULL;
}

static const char *value(struct template_state *s, const char *after, bool quote _unused_,
			 enum template_place *ret)
{
	bool ends = after && (!*after || *after == '\n');

	if (s->at == AT_SECTION_END)
		return "is behind the head of a section";
	if (s->at == AT_COMMENT)
		*ret = PLACE_PLAIN;
	else if (s->at == AT_LINE || s->at == AT_SECTION)
		*ret = PLACE_NAME;
	else if (s->at == AT_KEY)
		*ret = PLACE_NAME_REST;
	else
		*ret = s->at == AT_BEGIN && ends ? PLACE_WHOLE : PLACE_PART;
	if (s->at == AT_LINE)
		s->at = AT_KEY;
	else if (s->at == AT_BEGIN)
		s->at = AT_VALUE;
	return tag(s);
}

static bool join(struct template_state *s, const struct template_state *other)
{
	int low = s->at < other->at ? s->at : other->at,
	    high = s->at < other->at ? other->at : s->at;

	if (low != high && !(low == AT_LINE && high == AT_KEY) &&
	    !(low == AT_BEGIN && high == AT_VALUE))
		return false;
	s->unsettled |= other->unsettled || (low == AT_LINE && high == AT_KEY);
	s->at = high;
	return true;
}

static const char *describe(const struct template_state *s)
{
	static const char *const texts[] = {
		[AT_LINE] = "at the beginning of a line",
		[AT_COMMENT] = "in a comment",
		[AT_SECTION] = "in the head of a section",
		[AT_SECTION_END] = "behind the head of a section",
		[AT_KEY] = "in a key",
		[AT_BEGIN] = "in a value",
		[AT_VALUE] = "in a value",
	};

	return texts[s->at];
}

static const char *wrong_whole(const char *v)
{
	size_t len = strlen(v);

	if (len == 0)
		return NULL;
	if (v[0] == ' ' || v[len - 1] == ' ')
		return "begins or ends with a blank";
	if (strchr("#;\"'", v[0]))
		return "begins with a sign of a comment or a quotation mark";
	return v[len - 1] == '\\' ? "ends in a backslash" : NULL;
}

static const char *append(struct buf *b, enum template_place place, const char *v,
			  bool quote _unused_)
{
	const char *wrong = template_control(v);

	if (wrong)
		return wrong;
	if (place == PLACE_PLAIN) {
		wrong = strchr(v, '\\') ? "has a backslash, which may not be in a comment"
					: NULL;
	} else if (place == PLACE_NAME || place == PLACE_NAME_REST) {
		if (!template_has_only(v, TEMPLATE_LETTERS TEMPLATE_DIGITS "-_.:@"))
			wrong = "is no name: it may have letters, digits, '-', '_', '.', "
				"':' and '@'";
		else if (!*v && place == PLACE_NAME)
			wrong = "is empty, which a name cannot be";
	} else if (strchr(v, '%')) {
		wrong = "has a '%', which begins a specifier of systemd";
	} else if (place == PLACE_WHOLE) {
		wrong = wrong_whole(v);
	} else if (strpbrk(v, " \"'\\#;$")) {
		wrong = "has a blank, quotation mark, backslash, '#', ';' or '$', which "
			"may not be beside other text: let the tag be the whole value";
	}
	if (!wrong)
		buf_puts(b, v);
	return wrong;
}

const struct template_type template_ini = {
	.name = "ini",
	.follow = follow,
	.value = value,
	.tag = tag,
	.join = join,
	.describe = describe,
	.append = append,
};
