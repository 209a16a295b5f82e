/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No word is split between two lines: half a URL no longer looks like one, and its
 * password would stay. A word that fills the buffer is left out as a whole.
 */
#include "lib/follow.h"

#include "lib/str.h"
#include "lib/url.h"

#include <unistd.h>

#define PIECE_MAX (16 * 1024)
#define LEFT_OUT  "..."

/* Reads a piece of the file. Returns its length, 0 at the end. */
static size_t read_piece(int fd, off_t at, char text[static PIECE_MAX + 1])
{
	ssize_t n = pread(fd, text, PIECE_MAX, at);

	n = n > 0 ? n : 0;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\r' || text[i] == '\0')
			text[i] = '\n';
	text[n] = '\0';
	return (size_t)n;
}

/* Returns the length of the text up to its last newline, or with `words` and without a
 * newline, up to its last blank; 0 if it has none. */
static size_t complete(const char *text, size_t n, bool words)
{
	const char *end = memrchr(text, '\n', n);

	while (!end && words && n > 0)
		if (strchr(" \t", text[--n]))
			end = text + n;
	return end ? (size_t)(end + 1 - text) : 0;
}

static void use_lines(char *text, void (*use)(void *arg, char *line), void *arg)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (*line) {
			url_strip_secrets(line);
			use(arg, line);
		}
}

/* Skips the rest of a word that was left out. Returns true when there was some. */
static bool skip_word(struct follow *f, const char *text, size_t n)
{
	size_t skip = f->inside ? url_cut_word(text, n) : 0;

	f->inside = f->inside && skip == n;
	f->at += (off_t)skip;
	return skip > 0;
}

void follow_lines(struct follow *f, int fd, bool all, void (*use)(void *arg, char *line),
		  void *arg)
{
	char text[PIECE_MAX + 1];
	size_t n;

	while ((n = read_piece(fd, f->at, text)) > 0) {
		bool full = n == PIECE_MAX;
		size_t len;

		if (skip_word(f, text, n))
			continue; /* reads what is behind it */
		len = complete(text, n, full);
		if (len == 0 && all && !full)
			len = n;
		text[len] = '\0';
		if (len == 0 && full) {
			f->inside = true;
			len = n;
			strcpy(text, LEFT_OUT);
		}
		if (len == 0)
			return;
		f->at += (off_t)len;
		use_lines(text, use, arg);
	}
}
