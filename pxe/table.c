/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells are stored as text and measured when the table is rendered. A cell's width is its
 * number of code points; combining and double-width characters are therefore misaligned.
 */
#include "pxe/table.h"

#include "lib/text.h"

#include <stdarg.h>

#define CELL_MAX 256

void table_init(struct table *t, const struct table_column *columns, size_t n)
{
	*t = (struct table){.columns = columns, .n_columns = n};
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}

/* Cuts a cell that is too long, before a code point. Returns it. */
static char *cut(char *cell)
{
	size_t n = CELL_MAX - strlen("...");

	if (strlen(cell) <= CELL_MAX)
		return cell;
	while (((uint8_t)cell[n] & 0xc0) == 0x80)
		n--;
	strcpy(cell + n, "...");
	return cell;
}

void table_add(struct table *t, const char *cell)
{
	t->cells = xgrow(t->cells, t->n, sizeof(*t->cells));
	t->cells[t->n++] = cell && *cell ? cut(text_cleaned(cell)) : xstrdup("-");
}

void table_addf(struct table *t, const char *fmt, ...)
{
	_cleanup_free_ char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	table_add(t, s);
}

void table_add_seconds(struct table *t, uint64_t ms)
{
	uint64_t tenths = ms / 100 + (ms % 100 >= 50);

	table_addf(t, "%llu.%llu", (unsigned long long)(tenths / 10),
		   (unsigned long long)(tenths % 10));
}

static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *cell_at(const struct table *t, size_t i)
{
	return i < t->n ? t->cells[i] : "-";
}

static void fill(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_puts(out, " ");
}

static void cell_render(const struct table *t, size_t column, const char *cell,
			size_t wide, struct buf *out)
{
	size_t gap = wide - width(cell);

	if (t->columns[column].right)
		fill(out, gap);
	buf_puts(out, cell);
	if (column + 1 == t->n_columns) {
		buf_puts(out, "\n");
		return;
	}
	if (!t->columns[column].right)
		fill(out, gap);
	buf_puts(out, "  ");
}

void table_render(const struct table *t, struct buf *out)
{
	_cleanup_free_ size_t *wide = xcalloc(t->n_columns, sizeof(*wide));
	size_t end = (t->n + t->n_columns - 1) / t->n_columns * t->n_columns;

	for (size_t c = 0; c < t->n_columns; c++)
		wide[c] = width(t->columns[c].title);
	for (size_t i = 0; i < end; i++) {
		size_t c = i % t->n_columns, w = width(cell_at(t, i));

		wide[c] = w > wide[c] ? w : wide[c];
	}
	for (size_t c = 0; c < t->n_columns; c++)
		cell_render(t, c, t->columns[c].title, wide[c], out);
	for (size_t i = 0; i < end; i++) {
		size_t c = i % t->n_columns;

		cell_render(t, c, cell_at(t, i), wide[c], out);
	}
}
