/* SPDX-License-Identifier: Apache-2.0 */
/* The line is split into cells, a cleaned character each, of which as many are shown on
 * both sides of the column as fit. */
#include "lib/excerpt.h"

#include "lib/text.h"

#define DOTS   "..."
#define BEFORE 48  /* columns before the caret in a line that is cut */
#define NEAR   512 /* bytes on each side that are looked at */

struct cell {
	const char *s; /* NULL: `width` question marks */
	size_t len, width;
};

static const struct {
	uint32_t first, last;
	size_t width;
} widths[] = {
	{0x00300, 0x0036f, 0}, {0x01100, 0x0115f, 2}, {0x01ab0, 0x01aff, 0},
	{0x01dc0, 0x01dff, 0}, {0x020d0, 0x020ff, 0}, {0x02e80, 0x0303e, 2},
	{0x03041, 0x0a4cf, 2}, {0x0a960, 0x0a97f, 2}, {0x0ac00, 0x0d7a3, 2},
	{0x0f900, 0x0faff, 2}, {0x0fe20, 0x0fe2f, 0}, {0x0fe30, 0x0fe6f, 2},
	{0x0ff00, 0x0ff60, 2}, {0x0ffe0, 0x0ffe6, 2}, {0x1f300, 0x1f64f, 2},
	{0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
};

static size_t width_of(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		if (code >= widths[i].first && code <= widths[i].last)
			return widths[i].width;
	return 1;
}

/* Sets the cell of the character at `s`, of which `left` bytes follow. Returns its
 * length. */
static size_t cell_read(struct cell *c, const char *s, size_t left)
{
	char copy[5] = {0};
	uint32_t code = 0;
	size_t n;

	memcpy(copy, s, left < 4 ? left : 4);
	n = *copy ? text_sequence(copy, &code) : 0;
	if (*copy == '\t')
		*c = (struct cell){.s = " ", .len = 1, .width = 1};
	else if (n == 0 || text_is_hidden(code))
		*c = (struct cell){.width = n ? n : 1};
	else
		*c = (struct cell){.s = s, .len = n, .width = width_of(code)};
	return n ? n : 1;
}

static void cell_append(struct buf *b, const struct cell *c)
{
	if (c->s)
		buf_add(b, c->s, c->len);
	for (size_t i = 0; !c->s && i < c->width; i++)
		buf_puts(b, "?");
}

static size_t width_between(const struct cell *v, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += v[i].width;
	return n;
}

/* Writes the cells around `column` and the caret. */
static void render(struct buf *b, const struct cell *v, size_t n, size_t column)
{
	size_t from = 0, to = column, wide = 0, room = EXCERPT_COLUMNS;

	if (width_between(v, 0, n) > EXCERPT_COLUMNS) {
		room -= 2 * strlen(DOTS);
		from = column;
		while (from > 0 && wide + v[from - 1].width <= BEFORE)
			wide += v[--from].width;
	}
	wide = width_between(v, from, column);
	while (to < n && wide + v[to].width <= room)
		wide += v[to++].width;
	if (from > 0)
		buf_puts(b, DOTS);
	for (size_t i = from; i < to; i++)
		cell_append(b, &v[i]);
	buf_puts(b, to < n ? DOTS "\n" : "\n");
	wide = width_between(v, from, column) + (from > 0 ? strlen(DOTS) : 0);
	while (wide-- > 0)
		buf_puts(b, " ");
	buf_puts(b, "^");
}

char *excerpt(const char *text, size_t len, size_t at)
{
	_cleanup_free_ struct cell *cells = NULL;
	_cleanup_buf_ struct buf b = {0};
	size_t from, to, n = 0, column = 0;

	at = at < len ? at : len;
	for (from = at; from > 0 && at - from < NEAR && text[from - 1] != '\n';)
		from--;
	while (from > 0 && from < at && ((uint8_t)text[from] & 0xc0) == 0x80)
		from++;
	for (to = at; to < len && to - at < NEAR && text[to] != '\n';)
		to++;
	while (to > from && strchr(" \t\r", text[to - 1]))
		to--;
	while (from < to && strchr(" \t", text[from]))
		from++;
	if (from == to)
		return NULL;
	cells = xcalloc(to - from, sizeof(*cells));
	for (size_t i = from; i < to; n++) {
		if (i <= at)
			column = n;
		i += cell_read(&cells[n], text + i, to - i);
	}
	render(&b, cells, n, at >= to ? n : column);
	return buf_take(&b);
}
