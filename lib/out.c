/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/out.h"

#include "lib/log.h"
#include "lib/text.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Sequences of ECMA-48 that every terminal has. */
#define TO_UPPER_LEFT "\033[H"
#define ERASE_LINE    "\033[K"
#define ERASE_BELOW   "\033[J"

void out_line(const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	text_clean(text);
	log_clear();
	puts(text);
}

void out_text(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);

	text_clean_lines(copy);
	log_clear();
	fputs(copy, stdout);
}

bool out_terminal(unsigned *ret_lines, unsigned *ret_columns)
{
	struct winsize size;

	if (!isatty(fileno(stdout)) || ioctl(fileno(stdout), TIOCGWINSZ, &size) < 0)
		return false;
	*ret_lines = size.ws_row ? size.ws_row : 24;
	*ret_columns = size.ws_col ? size.ws_col : 80;
	return true;
}

/* Returns the length of the first `max` characters of a line. */
static size_t cut_line(const char *line, size_t len, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (((uint8_t)line[i] & 0xc0) != 0x80 && n++ == max)
			return i;
	return len;
}

void out_screen(const char *text, unsigned lines, unsigned columns)
{
	_cleanup_free_ char *copy = xstrdup(text);
	_cleanup_buf_ struct buf b = {0};
	const char *line = copy;

	text_clean_lines(copy);
	buf_puts(&b, TO_UPPER_LEFT);
	/* The cursor stays on the last line: a newline there would scroll. */
	for (unsigned i = 0; i + 1 < lines && *line; i++) {
		size_t len = strcspn(line, "\n");

		buf_add(&b, line, cut_line(line, len, columns));
		buf_puts(&b, ERASE_LINE "\n");
		line += len + (line[len] == '\n');
	}
	buf_puts(&b, ERASE_BELOW);
	log_clear();
	fputs(b.p, stdout);
}

int out_flush(struct err *e)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_errno(e, errno ? errno : EIO, "standard output");
}
