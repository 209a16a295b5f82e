/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Escape sequences are parsed as ECMA-48 defines them: ESC [ parameters final-byte, ESC ]
 * string BEL, ESC intermediates final-byte. On a terminal, a carriage return without a
 * line feed overwrites the line; here the overwritten text becomes a line too, so that
 * nothing is lost. systemd's animation lines are dropped ("[  *** ] A start job is
 * running for ...", several per second; src/core/manager.c,
 * manager_print_jobs_in_progress() and draw_cylon()): they repeat other lines and would
 * fill console_tail().
 */
#include "builder/rack/rack-console.h"

#include "lib/file.h"
#include "lib/url.h"

#define CHUNK     (64 * 1024)
#define TAIL_MAX  (32 * 1024)
#define LINE_MAX_ 1000

/* Returns the end of the escape sequence at s[0] == ESC. */
static const char *skip_escape(const char *s, const char *end)
{
	if (++s == end)
		return s;
	if (*s == '[') {
		for (s++; s < end && !(*s >= 0x40 && *s <= 0x7e) && *s != '\n'; s++)
			;
		return s < end && *s != '\n' ? s + 1 : s;
	}
	if (*s == ']') {
		for (s++; s < end && *s != '\a' && *s != '\n'; s++)
			;
		return s < end && *s == '\a' ? s + 1 : s;
	}
	while (s < end && *s >= 0x20 && *s <= 0x2f)
		s++;
	return s < end && *s != '\n' ? s + 1 : s;
}

/* Checks if the line begins with "[", blanks and at least one '*', and "]". */
static bool is_animation(const char *line)
{
	size_t n = line[0] == '[' ? strspn(line + 1, " *") : 0;

	return n > 0 && line[n + 1] == ']' && memchr(line + 1, '*', n);
}

/* Adds the line, unless it is empty or an animation, and empties the buffer. */
static void add_line(struct strv_builder *v, struct buf *line)
{
	if (line->p && strstr(line->p, "://")) {
		url_strip_userinfo(line->p); /* before it is cut: see lib/err.c */
		line->len = strlen(line->p);
	}
	if (line->len > LINE_MAX_)
		line->p[line->len = LINE_MAX_] = '\0';
	while (line->len && line->p[line->len - 1] == ' ')
		line->p[--line->len] = '\0';
	if (line->len && !is_animation(line->p))
		strv_builder_add(v, line->p);
	line->len = 0;
	if (line->p)
		line->p[0] = '\0';
}

char **console_lines(const char *text, size_t len)
{
	_cleanup_buf_ struct buf line = {0};
	struct strv_builder v = {0};
	const char *end = text + len;

	for (const char *s = text; s < end;) {
		unsigned char c = (unsigned char)*s;

		if (c == 0x1b) {
			s = skip_escape(s, end);
			continue;
		}
		s++;
		if (c == '\n' || c == '\r')
			add_line(&v, &line);
		else if (c == '\t')
			buf_puts(&line, " ");
		else if (c >= 0x20)
			buf_puts(&line, c < 0x7f ? (char[]){(char)c, 0} : "?");
	}
	add_line(&v, &line);
	return strv_builder_take(&v);
}

char **console_tail(const char *path, size_t n)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, path);
	_cleanup_free_ char *text = xmalloc(TAIL_MAX);
	_cleanup_strv_ char **lines = NULL;
	const char *nl;
	size_t all, skip;
	struct stat st;
	ssize_t got;
	off_t from;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	from = st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0;
	got = pread(fd, text, TAIL_MAX, from);
	if (got <= 0)
		return NULL;
	nl = memchr(text, '\n', (size_t)got);
	skip = from == 0 ? 0 : nl ? (size_t)(nl - text) : url_cut_word(text, (size_t)got);
	lines = console_lines(text + skip, (size_t)got - skip);
	all = strv_len(lines);
	return all > n ? strv_dup(lines + (all - n)) : TAKE_PTR(lines);
}

/* --- following --------------------------------------------------------------------- */

void console_open(struct console *c, const char *path)
{
	*c = (struct console){.path = xstrdup(path), .left = SIZE_MAX};
}

void console_done(struct console *c)
{
	free(c->path);
	buf_done(&c->rest);
	*c = (struct console){0};
}

bool console_turn(struct console *c)
{
	bool more = c->more;

	c->left = CONSOLE_TURN;
	c->more = false;
	return more;
}

/* Moves what is left of the buffer, less than a line, to its beginning. */
static void drop_used(struct console *c)
{
	c->rest.len -= c->used;
	if (c->rest.p)
		memmove(c->rest.p, c->rest.p + c->used, c->rest.len + 1);
	c->used = 0;
}

/* Appends text that was written since the last call. Returns false if there is none, or
 * none that may be read. */
static bool read_more(struct console *c)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, c->path);
	size_t most = c->left < CHUNK ? c->left : CHUNK;
	_cleanup_free_ char *chunk = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (st.st_size < c->at) {
		c->at = 0;
		buf_done(&c->rest);
		c->used = 0;
		c->within = false;
	}
	if (st.st_size == c->at)
		return false;
	c->more = most == 0;
	if (most == 0)
		return false;
	chunk = xmalloc(most);
	n = pread(fd, chunk, most, c->at);
	if (n <= 0)
		return false;
	c->at += n;
	c->left -= (size_t)n;
	drop_used(c);
	buf_add(&c->rest, chunk, (size_t)n);
	return true;
}

/* Returns the length of the text up to its last blank; 0 if it has none. */
static size_t whole_words(const char *text, size_t n)
{
	while (n > 0 && text[n - 1] != ' ' && text[n - 1] != '\t')
		n--;
	return n;
}

/* Returns the first line of the buffer, NULL if none is complete. One that fills the
 * buffer is split at its last blank: a URL that is cut no longer looks like one, and its
 * password would be shown. A word that fills the buffer is left out. */
static char *pop_line(struct console *c)
{
	char *line = c->rest.len ? c->rest.p + c->used : NULL;
	size_t n = c->rest.len - c->used;
	char *nl = n > 0 ? memchr(line, '\n', n) : NULL;
	_cleanup_strv_ char **lines = NULL;
	bool begun = !c->within;
	size_t skip, len;

	if (!nl && n < CHUNK)
		return NULL;
	n = nl ? (size_t)(nl + 1 - line) : n;
	skip = c->within ? url_cut_word(line, n) : 0;
	len = nl ? n - skip : whole_words(line + skip, n - skip);
	c->within = len == 0;
	c->used += c->within ? n : skip + len;
	if (c->within)
		return xstrdup(begun ? "..." : "");
	lines = console_lines(line + skip, len);
	return strv_join(lines, " ");
}

char *console_next(struct console *c)
{
	char *line;

	do
		line = pop_line(c);
	while (!line && read_more(c));
	return line;
}

/* --- bounding ---------------------------------------------------------------------- */

#define CUT_MARK "[rackstrap: the beginning of this file was removed]\n"

/* Reads the end of the file, from the beginning of a line, and sets *start to its offset.
 */
static void read_end(int fd, off_t size, struct buf *end, off_t *start)
{
	_cleanup_free_ char *text = xmalloc(CONSOLE_KEPT);
	off_t from = size > CONSOLE_KEPT ? size - CONSOLE_KEPT : 0;
	ssize_t n = pread(fd, text, CONSOLE_KEPT, from);
	const char *nl = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
	size_t skip = nl ? (size_t)(nl + 1 - text) : 0;

	buf_puts(end, CUT_MARK);
	if (n > 0)
		buf_add(end, text + skip, (size_t)n - skip);
	*start = from + (off_t)skip;
}

/* Continues at the same line, or at the first that is left. */
static void move_reader(struct console *c, off_t start)
{
	off_t mark = (off_t)strlen(CUT_MARK);

	if (c->at >= start) {
		c->at = mark + (c->at - start);
		return;
	}
	c->at = mark;
	buf_done(&c->rest);
	c->used = 0;
}

bool console_bound(struct console *c)
{
	_cleanup_close_ int fd =
		open(c->path, O_RDWR | O_APPEND | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_buf_ struct buf end = {0};
	bool first = !c->cut;
	struct stat st;
	off_t start, now;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size <= CONSOLE_MAX)
		return false;
	read_end(fd, st.st_size, &end, &start);
	if (ftruncate(fd, 0) < 0)
		return false;
	move_reader(c, start);
	c->cut = true;
	if (write_all(fd, end.p, end.len) < 0)
		return first;
	/* The writer may have been quicker with the beginning of the file. */
	now = lseek(fd, 0, SEEK_CUR);
	if (now > (off_t)end.len)
		c->at += now - (off_t)end.len;
	return first;
}
