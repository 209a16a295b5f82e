/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text that libconfig parses: that of a file, with the files that it includes in the
 * places of their @include. libconfig 1.5 is never given an @include: it opens folders
 * and pipes, ends the program when it cannot read one, and continues an unterminated
 * comment of an included file in the file that includes it.
 *
 * @include "FILE" stands in a line of its own, as in libconfig's manual ("Include
 * Directives"). A relative name is one beside the file that includes it. Files are
 * included at most 10 deep, which is libconfig's own limit.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

/* Lines that follow each other in a text and in the file that they are from. */
struct conf_piece {
	unsigned first;   /* line of the text, from 1 */
	unsigned line;    /* of the file, from 1 */
	const char *name; /* of the file */
};

/* A text whose lines are from one or more files. It ends with a NUL. */
struct conf_lines {
	const char *text;
	size_t len;
	const struct conf_piece
		*pieces; /* in the order of the text; the first is line 1 */
	size_t n_pieces;
};

/* Returns the name of the file of a line of the text, and sets *ret_line to the line in
 * it. */
const char *conf_lines_place(const struct conf_lines *l, unsigned line,
			     unsigned *ret_line);

struct conf_source {
	struct buf text;
	struct conf_piece *pieces;
	size_t n_pieces;
	struct strv_builder names; /* of all files */
};

/* Returns the text, which stays the source's. */
struct conf_lines conf_source_lines(const struct conf_source *s);

/*
 * Sets the text, and reads the files that it includes. `text` ends with a NUL; `name` is
 * that of its file in complaints, and `path` that by which relative names of other files
 * are found, NULL for the working directory. All files together may have `max` bytes;
 * `flags` are those of conf_parse(). Every file is scanned as conf-scan.h says. Returns
 * 0, or -1 with complaints. The caller empties *ret, which must be zeroed, also after a
 * failure.
 */
int conf_source_load(struct conf_source *ret, const char *text, size_t len,
		     const char *name, const char *path, size_t max, unsigned flags,
		     struct diag *d) _must_check_;
void conf_source_done(struct conf_source *s);
