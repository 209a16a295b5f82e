/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/escape.h"

#include "lib/text.h"

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void append_escaped(struct buf *b, const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		const char *text = reference(s[i]);

		if (!text)
			continue;
		buf_add(b, s + from, i - from);
		buf_puts(b, text);
		from = i + 1;
	}
	buf_add(b, s + from, len - from);
}

/* Replaces noncharacters, the last two of each plane and U+FDD0 to U+FDEF: HTML counts
 * them as errors, and XML 1.0 has no U+FFFE and U+FFFF. */
static void replace_noncharacters(char *s)
{
	uint32_t code;

	for (size_t n; *s; s += n) {
		n = text_sequence(s, &code);
		if (n < 3 ||
		    ((code & 0xfffe) != 0xfffe && (code < 0xfdd0 || code > 0xfdef)))
			n = n ? n : 1;
		else
			memset(s, '?', n);
	}
}

static char *cleaned(const char *s)
{
	char *text = text_cleaned(s);

	replace_noncharacters(text);
	return text;
}

void escape_html(struct buf *b, const char *s)
{
	_cleanup_free_ char *text = s ? cleaned(s) : NULL;

	if (text)
		append_escaped(b, text, strlen(text));
}

void escape_html_cut(struct buf *b, const char *s, size_t max)
{
	_cleanup_free_ char *text = s ? cleaned(s) : NULL;
	size_t n = 0, cut = 0;

	for (size_t i = 0; text && text[i]; i++) {
		if (((uint8_t)text[i] & 0xc0) == 0x80)
			continue;
		if (++n == max)
			cut = i;
	}
	if (!text)
		return;
	append_escaped(b, text, n > max ? cut : strlen(text));
	if (n > max)
		buf_puts(b, "…");
}

void escape_label(struct buf *b, const char *s)
{
	_cleanup_free_ char *text = text_cleaned(s);

	for (const char *c = text; *c; c++) {
		if (*c == '\\' || *c == '"')
			buf_puts(b, "\\");
		buf_add(b, c, 1);
	}
}
