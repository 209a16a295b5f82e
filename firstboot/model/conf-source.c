/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/conf-source.h"

#include "firstboot/model/conf-scan.h"
#include "firstboot/model/conf-syntax.h"
#include "lib/file.h"

#include <fcntl.h>

#define INCLUDE_DEPTH 10

struct join {
	struct conf_source *s;
	unsigned line; /* of the text, that of the next byte */
	size_t max, left;
	unsigned flags;
	struct diag *d;
	bool is_open; /* the last file has a string or comment without an end */
};

static void append(struct join *j, const char *text, size_t len)
{
	buf_add(&j->s->text, text, len);
	for (size_t i = 0; i < len; i++)
		j->line += text[i] == '\n';
}

/* Begins lines of a file. The text has ended with a line end. */
static void begin(struct join *j, const char *name, unsigned line)
{
	struct conf_source *s = j->s;

	s->pieces = xgrow(s->pieces, s->n_pieces, sizeof(*s->pieces));
	s->pieces[s->n_pieces++] =
		(struct conf_piece){.first = j->line, .line = line, .name = name};
}

static int join_file(struct join *j, const char *text, size_t len, const char *name,
		     const char *path, unsigned depth);

/* Appends an included file. */
static int join_included(struct join *j, const struct conf_include *inc, const char *name,
			 const char *path, unsigned depth)
{
	_cleanup_free_ char *file = file_beside(path, inc->name), *text = NULL;
	const struct diag_place at = {.file = name, .line = inc->line};
	size_t len = 0;
	int r;

	if (depth == INCLUDE_DEPTH)
		return diag_add_at(j->d, &at,
				   "files include each other more than %d deep",
				   INCLUDE_DEPTH);
	r = file_read_regular_at(AT_FDCWD, file, j->left, &text, &len);
	if (r == -EFBIG)
		return diag_add_at(j->d, &at,
				   "with the included %s, there are more than %zu bytes",
				   file, j->max);
	if (r < 0)
		return diag_add_unread_at(j->d, &at, "the included %s cannot be read: %s",
					  file, file_strerror(r));
	j->left -= len;
	strv_builder_add(&j->s->names, file);
	return join_file(j, text, len, j->s->names.v[j->s->names.n - 1], file, depth + 1);
}

static int join_file(struct join *j, const char *text, size_t len, const char *name,
		     const char *path, unsigned depth)
{
	const struct conf_piece piece = {.first = 1, .line = 1, .name = name};
	const struct conf_lines lines = {text, len, &piece, 1};
	_cleanup_conf_scanned_ struct conf_scanned scan = {0};
	int r = conf_scan(&lines, j->flags, &scan, j->d);
	size_t from = 0;

	begin(j, name, 1);
	for (size_t i = 0; i < scan.n_includes && !j->is_open; i++) {
		const struct conf_include *inc = &scan.includes[i];

		append(j, text + from, inc->at - from);
		append(j, "\n", 1);
		if (join_included(j, inc, name, path, depth) < 0)
			r = -1;
		begin(j, name, inc->line);
		from = inc->end;
	}
	if (j->is_open)
		return r;
	append(j, text + from, len - from);
	if (j->s->text.len == 0 || j->s->text.p[j->s->text.len - 1] != '\n')
		append(j, "\n", 1);
	j->is_open = scan.is_open;
	return r;
}

int conf_source_load(struct conf_source *ret, const char *text, size_t len,
		     const char *name, const char *path, size_t max, unsigned flags,
		     struct diag *d)
{
	struct join j = {.s = ret,
			 .line = 1,
			 .max = max,
			 .left = max - len,
			 .flags = flags,
			 .d = d};
	_cleanup_conf_scanned_ struct conf_scanned scan = {0};
	struct conf_lines lines;
	int r;

	if (max > CONF_MAX_IMAGE)
		flags = j.flags |= CONF_OF_RACK;
	strv_builder_add(&ret->names, name);
	r = join_file(&j, text, len, ret->names.v[0], path, 0);
	if (r < 0)
		return -1;
	lines = conf_source_lines(ret);
	if (j.is_open)
		return conf_syntax_report(&lines, d) < 0
			       ? -1
			       : diag_add_at(d, &(struct diag_place){.file = name},
					     "a string or comment does not end");
	/* The limits hold for all files together. */
	return ret->names.n > 1 ? conf_scan(&lines, flags, &scan, d) : 0;
}

void conf_source_done(struct conf_source *s)
{
	buf_done(&s->text);
	free(s->pieces);
	strv_builder_done(&s->names);
	*s = (struct conf_source){0};
}

struct conf_lines conf_source_lines(const struct conf_source *s)
{
	return (struct conf_lines){s->text.p, s->text.len, s->pieces, s->n_pieces};
}

const char *conf_lines_place(const struct conf_lines *l, unsigned line,
			     unsigned *ret_line)
{
	size_t low = 0, high = l->n_pieces;

	/* The last piece that begins at or before the line. */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (l->pieces[mid].first <= line)
			low = mid;
		else
			high = mid;
	}
	*ret_line = l->pieces[low].line + (line - l->pieces[low].first);
	return l->pieces[low].name;
}
