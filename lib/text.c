/* SPDX-License-Identifier: Apache-2.0 */
/* A code point is looked up in a table of ranges, which is short enough to walk. */
#include "lib/text.h"

#include <stdarg.h>

static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x00000, 0x0001f},
	{0x0007f, 0x0009f}, /* Cc */
	{0x02028, 0x02029}, /* Zl, Zp */
	{0x0fff9, 0x0fffb}, /* interlinear annotation */
	{0x02800, 0x02800}, /* a braille pattern without dots, which is blank */
	/* Cf (UnicodeData.txt) that are not among the others */
	{0x110bd, 0x110bd}, /* Kaithi number signs, which are written around others */
	{0x110cd, 0x110cd},
	{0x13430, 0x13455}, /* Egyptian hieroglyph format controls and modifiers */
	/* the blocks of letters that are written from right to left (Blocks.txt): they
	 * change the order of what is around them */
	{0x00590, 0x008ff},
	{0x0fb1d, 0x0fdff},
	{0x0fe70, 0x0fefe},
	{0x10800, 0x10fff},
	{0x1e800, 0x1efff},
	/* Default_Ignorable_Code_Point (DerivedCoreProperties.txt) */
	{0x000ad, 0x000ad},
	{0x0034f, 0x0034f},
	{0x0115f, 0x01160},
	{0x017b4, 0x017b5},
	{0x0180b, 0x0180f},
	{0x0200b, 0x0200f},
	{0x0202a, 0x0202e},
	{0x02060, 0x0206f},
	{0x03164, 0x03164},
	{0x0fe00, 0x0fe0f},
	{0x0feff, 0x0feff},
	{0x0ffa0, 0x0ffa0},
	{0x0fff0, 0x0fff8},
	{0x1bca0, 0x1bca3},
	{0x1d173, 0x1d17a},
	{0xe0000, 0xe0fff},
};

size_t text_sequence(const char *text, uint32_t *ret_code)
{
	const uint8_t *s = (const uint8_t *)text;
	uint8_t low = 0x80, high = 0xbf;
	uint32_t code = s[0];
	size_t n = 1;

	if (s[0] >= 0x80) {
		if (s[0] < 0xc2 || s[0] > 0xf4)
			return 0;
		n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
		code = s[0] & (0x7fU >> n);
	}
	if (s[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (s[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	for (size_t i = 1; i < n; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		code = code << 6 | (s[i] & 0x3fU);
		low = 0x80;
		high = 0xbf;
	}
	if (ret_code)
		*ret_code = code;
	return n;
}

bool text_is_hidden(uint32_t code)
{
	if (code >= 0x20 && code < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

static void clean(char *s, bool keep_lines)
{
	while (*s) {
		uint32_t code = 0;
		size_t n = text_sequence(s, &code);

		if (*s == '\n' || *s == '\t')
			*s = keep_lines ? *s : ' ';
		else if (n == 0)
			*s = '?';
		else if (text_is_hidden(code))
			memset(s, '?', n);
		s += n > 0 ? n : 1;
	}
}

void text_clean(char *s)
{
	clean(s, false);
}

void text_clean_lines(char *s)
{
	clean(s, true);
}

char *text_cleaned(const char *s)
{
	char *copy = xstrdup(s);

	text_clean(copy);
	return copy;
}

static _printf_(2, 0) void append(struct buf *b, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	text_clean(text);
	buf_puts(b, text);
}

void text_append(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(b, fmt, ap);
	va_end(ap);
}

void text_line(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(b, fmt, ap);
	va_end(ap);
	buf_puts(b, "\n");
}
