/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259): only strings have to be told from what is around them. */
#include "firstboot/model/template-parts.h"

enum {
	AT_OUTSIDE,
	AT_STRING,
};

static const char *follow(struct template_state *s, char c)
{
	if (s->at == AT_OUTSIDE) {
		s->at = c == '"' ? AT_STRING : AT_OUTSIDE;
		return NULL;
	}
	if (c == '\n')
		return "a string goes on in the next line: write \\n for a newline in it";
	if (s->escaped) {
		s->digits = c == 'u' ? 4 : 0;
		s->escaped = false;
		return NULL;
	}
	s->at = c == '"' ? AT_OUTSIDE : AT_STRING;
	s->digits -= s->digits > 0;
	if (s->at == AT_OUTSIDE)
		s->digits = 0;
	s->escaped = c == '\\';
	return NULL;
}

static const char *tag(struct template_state *s)
{
	return s->escaped || s->digits > 0 ? "follows a backslash" : NULL;
}

static const char *value(struct template_state *s, const char *after _unused_,
			 bool quote _unused_, enum template_place *ret)
{
	*ret = s->at == AT_STRING ? PLACE_DOUBLE : PLACE_WHOLE;
	return tag(s);
}

static bool join(struct template_state *s, const struct template_state *other)
{
	return s->at == other->at;
}

static const char *describe(const struct template_state *s)
{
	return s->at == AT_STRING ? "inside of double quotes" : "outside of quotes";
}

static const char *append(struct buf *b, enum template_place place, const char *v,
			  bool quote)
{
	bool quotes = place == PLACE_WHOLE && quote;

	if (quotes)
		buf_puts(b, "\"");
	template_write_json(b, v);
	if (quotes)
		buf_puts(b, "\"");
	return NULL;
}

const struct template_type template_json = {
	.name = "json",
	.flags = true,
	.follow = follow,
	.value = value,
	.tag = tag,
	.join = join,
	.describe = describe,
	.append = append,
};
