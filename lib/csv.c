/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every cell is decoded in its place: it is never longer than what it was written as. The
 * first pass counts cells and rows and finds all mistakes, the second decodes.
 */
#include "lib/csv.h"

#include "lib/str.h"
#include "lib/text.h"

struct reader {
	const char *name;
	char *p, *end, *line_start;
	unsigned line;
	struct csv *ret; /* NULL in the pass that counts */
	size_t n_cells, n_rows;
	struct diag *d;
};

/* Complains about the character at the position. Returns -1. */
static int complain(struct reader *r, const char *what)
{
	const struct diag_place at = {r->name, r->line,
				      (unsigned)(r->p - r->line_start) + 1};

	return diag_add_at(r->d, &at, "%s", what);
}

/* Skips a line end at the position. Returns true when there was one. */
static bool skip_line_end(struct reader *r)
{
	size_t n = r->p < r->end && *r->p == '\n' ? 1 : 0;

	if (r->end - r->p >= 2 && r->p[0] == '\r' && r->p[1] == '\n')
		n = 2;
	if (n == 0)
		return false;
	r->p += n;
	r->line++;
	r->line_start = r->p;
	return true;
}

static bool at_line_end(const struct reader *r)
{
	return r->p == r->end || *r->p == '\n' ||
	       (r->end - r->p >= 2 && r->p[0] == '\r' && r->p[1] == '\n');
}

/* Returns the mistake of a character outside of quotation marks, or NULL. */
static const char *plain_wrong(char c)
{
	if (c == '"')
		return "a quotation mark is in the middle of a cell: write the whole "
		       "cell in quotation marks, and this one twice";
	if (c == '\r')
		return "a line ends with a carriage return alone: save the table with "
		       "line ends of Unix or Windows";
	return NULL;
}

/* Decodes a cell in quotation marks. Returns its end, or NULL with a complaint. */
static char *read_quoted(struct reader *r)
{
	const struct diag_place begin = {r->name, r->line,
					 (unsigned)(r->p - r->line_start) + 1};
	char *to = ++r->p;

	while (r->p < r->end) {
		if (*r->p == '"' && (r->end - r->p < 2 || r->p[1] != '"')) {
			r->p++;
			if (!at_line_end(r) && *r->p != ',') {
				complain(r, "text follows the quotation mark that ends a "
					    "cell: write a comma before it, or the "
					    "quotation mark twice");
				return NULL;
			}
			return to;
		}
		if (*r->p == '"')
			r->p++;
		if (*r->p == '\n') {
			r->line++;
			r->line_start = r->p + 1;
		}
		if (r->ret)
			*to = *r->p;
		to++;
		r->p++;
	}
	diag_add_at(r->d, &begin, "a cell has no quotation mark at its end");
	return NULL;
}

static char *read_plain(struct reader *r)
{
	while (!at_line_end(r) && *r->p != ',') {
		const char *wrong = plain_wrong(*r->p);

		if (wrong) {
			complain(r, wrong);
			return NULL;
		}
		r->p++;
	}
	return r->p;
}

/* Reads a cell and adds it to the row. Returns 0, or -1 with a complaint. */
static int read_cell(struct reader *r)
{
	struct csv_cell cell = {
		.text = r->p + (*r->p == '"'),
		.line = r->line,
		.column = (unsigned)(r->p - r->line_start) + 1,
	};
	char *end = *r->p == '"' ? read_quoted(r) : read_plain(r);

	if (!end)
		return -1;
	if (r->ret) {
		r->ret->cells[r->n_cells] = cell;
		r->ret->rows[r->n_rows].n++;
	}
	r->n_cells++;
	/* The comma or line end behind the cell is read before this overwrites it. */
	if (r->p < r->end && *r->p == ',') {
		r->p++;
		if (r->ret)
			*end = '\0';
		return 1;
	}
	skip_line_end(r);
	if (r->ret)
		*end = '\0';
	return 0;
}

static int read_rows(struct reader *r)
{
	while (r->p < r->end) {
		int more = 1;

		if (skip_line_end(r))
			continue;
		if (r->ret)
			r->ret->rows[r->n_rows] = (struct csv_row){
				.cells = r->ret->cells + r->n_cells, .line = r->line};
		while (more > 0)
			more = read_cell(r);
		if (more < 0)
			return -1;
		r->n_rows++;
	}
	return 0;
}

/* Refuses bytes that no table has. Line ends are checked with the cells. */
static int check_bytes(const char *text, size_t len, const char *name, struct diag *d)
{
	struct diag_place at = {.file = name, .line = 1};
	size_t begin = 0; /* of the line */

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];
		const size_t n = c < 0x80 ? 1 : text_sequence(text + i, NULL);

		at.column = (unsigned)(i - begin) + 1;
		if (n == 0)
			return diag_add_at(d, &at,
					   "the byte 0x%02x is not UTF-8: save the table "
					   "as \"CSV UTF-8\"",
					   c);
		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return diag_add_at(d, &at, "a control character (0x%02x)", c);
		if (c == '\n') {
			at.line++;
			begin = i + 1;
		}
		i += n - 1;
	}
	return 0;
}

static void reader_begin(struct reader *r, char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";

	r->p = r->line_start = text;
	r->end = text + len;
	r->line = 1;
	r->n_cells = r->n_rows = 0;
	if (len >= 3 && memcmp(text, mark, 3) == 0)
		r->p = r->line_start = text + 3;
}

int csv_parse(struct csv *ret, char *text, size_t len, const char *name, struct diag *d)
{
	struct reader r = {.name = name, .d = d};

	*ret = (struct csv){.text = text};
	reader_begin(&r, text, len);
	if (check_bytes(text, len, name, d) < 0 || read_rows(&r) < 0) {
		csv_done(ret);
		return -1;
	}
	ret->cells = xcalloc(r.n_cells + 1, sizeof(*ret->cells));
	ret->rows = xcalloc(r.n_rows + 1, sizeof(*ret->rows));
	ret->n = r.n_rows;
	r.ret = ret;
	reader_begin(&r, text, len);
	if (read_rows(&r) < 0)
		abort(); /* the first pass has found no mistake */
	return 0;
}

void csv_done(struct csv *t)
{
	free(t->text);
	free(t->cells);
	free(t->rows);
	*t = (struct csv){0};
}
