/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line without a newline at the end of the file is kept for the next call: the writer
 * may not have finished it. Of a line that is too long no more is kept than shows that.
 * The file at the path is compared with the open one only when nothing is left to read.
 * Then the open one becomes `old`, which is read before the new one at every call, until
 * the next change.
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
	*t = (struct tail){
		.path = xstrdup(path), .now.f = open_log(path), .left = SIZE_MAX};
	if (t->now.f && from_end)
		(void)fseek(t->now.f, 0, SEEK_END);
}

bool tail_turn(struct tail *t, size_t bytes)
{
	bool more = t->left == 0;

	t->left = bytes;
	return more;
}

/* Reads the next complete line of one file. Returns false, with what there is of it kept
 * in `log`, if there is none or no more may be read. */
static bool read_line(struct tail_log *log, size_t *left, char line[static TAIL_LINE_MAX])
{
	int c = EOF;

	while (log->f && *left > 0 && (c = getc(log->f)) != EOF) {
		size_t len = log->len;

		(*left)--;
		if (c != '\n') {
			if (len < TAIL_LINE_MAX)
				log->line[log->len++] = (char)c;
			continue;
		}
		log->len = 0;
		if (len == TAIL_LINE_MAX)
			continue;
		memcpy(line, log->line, len);
		line[len] = '\0';
		return true;
	}
	if (log->f && c == EOF)
		clearerr(log->f);
	return false;
}

/* Goes to the beginning of a file that is shorter now than the position in it. Returns
 * true if it was. */
static bool follow_truncation(struct tail_log *log)
{
	struct stat st;

	if (!log->f || fstat(fileno(log->f), &st) < 0 || st.st_size >= ftell(log->f))
		return false;
	rewind(log->f);
	log->len = 0;
	return true;
}

/* Opens the file that has the path now, if it is another one. Returns true if so. */
static bool follow_rename(struct tail *t)
{
	struct stat now, open;
	FILE *f;

	if (lstat(t->path, &now) < 0 ||
	    (t->now.f && fstat(fileno(t->now.f), &open) == 0 &&
	     now.st_ino == open.st_ino && now.st_dev == open.st_dev))
		return false;
	f = open_log(t->path);
	if (!f)
		return false;
	fclose_p(&t->old.f);
	t->old = t->now;
	t->now = (struct tail_log){.f = f};
	return true;
}

static bool next_line(struct tail *t, char line[static TAIL_LINE_MAX])
{
	if (read_line(&t->old, &t->left, line))
		return true;
	for (;;) {
		if (read_line(&t->now, &t->left, line))
			return true;
		if (t->left == 0 || (!follow_truncation(&t->now) && !follow_rename(t)))
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
	fclose_p(&t->now.f);
	fclose_p(&t->old.f);
	*t = (struct tail){0};
}
