/* SPDX-License-Identifier: Apache-2.0 */
/* A text is cut by its number of characters: SVG cannot break it. */
#include "pxe/picture.h"

#include "lib/escape.h"
#include "pxe/embed.h"

#define LINE_HEIGHT 15
#define TEXT_WIDTH  128

/* Characters of 13 and of 11 pixels that fit in a box: so many in any font, and at most,
 * when the viewer sets a longer text to TEXT_WIDTH. */
struct room {
	size_t any_font, most;
};
static const struct room name_room = {13, 18}, note_room = {18, 22};

static void append_text(struct buf *b, const char *class, unsigned x, unsigned y,
			const char *text, const struct room *room)
{
	buf_printf(b, "<text class=\"%s\" x=\"%u\" y=\"%u\"", class, x, y);
	if (strlen(text) > room->any_font)
		buf_printf(b, " textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\"",
			   TEXT_WIDTH);
	buf_puts(b, ">");
	escape_html_cut(b, text, room->most);
	buf_puts(b, "</text>");
}

unsigned picture_box_height(const struct picture_box *box)
{
	return PICTURE_BOX_HEIGHT + (box->more ? LINE_HEIGHT : 0);
}

void picture_append_box(struct buf *b, const struct picture_box *box, unsigned x,
			unsigned y)
{
	unsigned height = picture_box_height(box);

	buf_printf(b,
		   "<g class=\"%s\"><rect class=\"back\" x=\"%u\" y=\"%u\" "
		   "width=\"%d\" height=\"%u\" rx=\"6\"/>"
		   "<rect class=\"mark\" x=\"%u\" y=\"%u\" width=\"4\" height=\"%u\" "
		   "rx=\"2\"/>",
		   box->kind, x, y, PICTURE_BOX_WIDTH, height, x + 6, y + 8, height - 16);
	if (box->percent > 0)
		buf_printf(b,
			   "<rect class=\"mark\" x=\"%u\" y=\"%u\" width=\"%u\" "
			   "height=\"3\" rx=\"1.5\"/>",
			   x + 18, y + height - 7,
			   (PICTURE_BOX_WIDTH - 28) * box->percent / 100 + 1);
	append_text(b, "name", x + 18, y + (box->note ? 19 : 28), box->name, &name_room);
	if (box->note)
		append_text(b, "note", x + 18, y + 34, box->note, &note_room);
	if (box->more)
		append_text(b, "note", x + 18, y + 34 + LINE_HEIGHT, box->more,
			    &note_room);
	buf_puts(b, "</g>");
}

void picture_append_dot(struct buf *b, const char *kind, unsigned x, unsigned y)
{
	buf_printf(b,
		   "<g class=\"%s\"><rect class=\"mark\" x=\"%u\" y=\"%u\" width=\"%d\" "
		   "height=\"%d\" rx=\"2\"/>",
		   kind, x, y, PICTURE_DOT, PICTURE_DOT);
	if (streq(kind, "failed")) /* not by its colour alone */
		buf_printf(b, "<path class=\"cross\" d=\"m%u %u 4 4m0-4-4 4\"/>", x + 3,
			   y + 3);
	buf_puts(b, "</g>");
}

size_t picture_columns(size_t n)
{
	return n <= 2500 ? 50 : 100;
}

void picture_append_css(struct buf *b)
{
	buf_puts(b, embed_picture_css);
}

/*
 * Appends `rules` with the colour of `palette`, a block of picture.css, in place of each
 * "var(--NAME)".
 */
static void append_rules(struct buf *b, const char *rules, const char *palette)
{
	static const char begin[] = "var(";
	const char *var;

	while ((var = strstr(rules, begin))) {
		const char *name = var + strlen(begin);
		size_t len = strcspn(name, ")");
		_cleanup_free_ char *key = xasprintf("%.*s: ", (int)len, name);
		const char *colour = strstr(palette, key);

		buf_add(b, rules, (size_t)(var - rules));
		if (colour)
			buf_add(b, colour + len + 2, strcspn(colour + len + 2, ";"));
		rules = name + len + 1;
	}
	buf_puts(b, rules);
}

void picture_append_own_css(struct buf *b, const char *more)
{
	static const char dark_begin[] = "@media", rules_begin[] = "svg ";
	const char *dark = strstr(embed_picture_css, dark_begin);
	const char *rules = dark ? strstr(dark, rules_begin) : NULL;
	_cleanup_free_ char *all = rules ? xasprintf("%s%s", rules, more) : xstrdup(more);

	buf_puts(b, ":root { color-scheme: light dark; }\n");
	append_rules(b, all, embed_picture_css);
	buf_puts(b, "@media (prefers-color-scheme: dark) {\n");
	append_rules(b, all, dark ? dark : "");
	buf_puts(b, "}\n");
}
