/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line without a newline at the end of the file is left for the next call: the writer
 * may not have finished it. The file at the path is compared with the open one only when
 * nothing is left to read. Then the open one becomes `old`, which is read before the new
 * one at every call, until the next change.
 *
 * Limit: of a file that is truncated and grows beyond the position within it before the
 * next call, the lines up to that position are lost.
 */
#include "pxe/tail.h"

#include "lib/file.h"

static FILE *open_log(const char *path)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (f)
		(void)TAKE_FD(fd);
	return f;
}

void tail_open(struct tail *t, const char *path, bool from_end)
{
	*t = (struct tail){.path = xstrdup(path), .f = open_log(path), .left = SIZE_MAX};
	if (t->f && from_end)
		(void)fseek(t->f, 0, SEEK_END);
}

bool tail_turn(struct tail *t, size_t bytes)
{
	bool more = t->left == 0;

	t->left = bytes;
	return more;
}

/* Reads the next complete line of one file. Returns false, with the position at the end
 * of the last complete one, if there is none or none may be read. */
static bool read_line(FILE *f, size_t *left, char line[static TAIL_LINE_MAX])
{
	while (*left > 0) {
		long at = ftell(f);
		size_t len = 0;
		int c;

		while ((c = getc(f)) != EOF && c != '\n') {
			if (len < TAIL_LINE_MAX)
				line[len] = (char)c;
			len++;
		}
		if (c == EOF) {
			clearerr(f);
			(void)fseek(f, at, SEEK_SET);
			return false;
		}
		*left -= len < *left ? len + 1 : *left;
		if (len < TAIL_LINE_MAX) {
			line[len] = '\0';
			return true;
		}
	}
	return false;
}

/* Goes to the beginning of a file that is shorter now than the position in it. Returns
 * true if it was. */
static bool follow_truncation(FILE *f)
{
	struct stat st;

	if (fstat(fileno(f), &st) < 0 || st.st_size >= ftell(f))
		return false;
	rewind(f);
	return true;
}

/* Opens the file that has the path now, if it is another one. Returns true if so. */
static bool follow_rename(struct tail *t)
{
	struct stat now, open;
	FILE *f;

	if (lstat(t->path, &now) < 0 ||
	    (t->f && fstat(fileno(t->f), &open) == 0 && now.st_ino == open.st_ino &&
	     now.st_dev == open.st_dev))
		return false;
	f = open_log(t->path);
	if (!f)
		return false;
	fclose_p(&t->old);
	t->old = t->f;
	t->f = f;
	return true;
}

static bool next_line(struct tail *t, char line[static TAIL_LINE_MAX])
{
	if (t->old && read_line(t->old, &t->left, line))
		return true;
	for (;;) {
		if (t->f && read_line(t->f, &t->left, line))
			return true;
		if (t->left == 0 ||
		    (!(t->f && follow_truncation(t->f)) && !follow_rename(t)))
			return false;
	}
}

char *tail_next(struct tail *t, char line[static TAIL_LINE_MAX])
{
	return next_line(t, line) ? line : NULL;
}

void tail_done(struct tail *t)
{
	free(t->path);
	fclose_p(&t->f);
	fclose_p(&t->old);
	*t = (struct tail){0};
}
