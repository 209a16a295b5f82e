/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is formatted first and then written with one write(2), so that lines of
 * several threads, and of children that share the descriptor, do not mix.
 */
#include "lib/log.h"

#include "lib/file.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdarg.h>

static const char *log_name = "rackstrap";
static enum log_level log_max = LOG_LEVEL_INFO;
static void (*clear_lines)(void);

void log_setup(const char *name, enum log_level level)
{
	log_name = name;
	log_max = level;
}

enum log_level log_get_level(void)
{
	return log_max;
}

void log_set_clear(void (*clear)(void))
{
	clear_lines = clear;
}

void log_clear(void)
{
	if (clear_lines)
		clear_lines();
}

static void add_line(struct buf *out, enum log_level level, char *line)
{
	url_strip_userinfo(line);
	text_clean(line);
	buf_printf(out, "%s: %s%s\n", log_name,
		   level == LOG_LEVEL_WARN ? "warning: " : "", line);
}

/* A failure to log cannot be reported. */
static void write_out(const struct buf *out, int saved_errno)
{
	log_clear();
	(void)!write_all(STDERR_FILENO, out->p, out->len);
	errno = saved_errno;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf out = {0};
	int saved = errno;
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	add_line(&out, level, text);
	write_out(&out, saved);
}

void log_lines(enum log_level level, const char *text)
{
	int saved = errno;
	_cleanup_free_ char *copy = xstrdup(text);
	_cleanup_buf_ struct buf out = {0};

	if (level > log_max)
		return;
	for (char *line = copy, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line || line == copy)
			add_line(&out, level, line);
	}
	write_out(&out, saved);
}

void log_diag(enum log_level level, const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		_cleanup_free_ char *text = diag_text(d, i);

		log_lines(level, text);
	}
}

void log_prompt(const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	url_strip_userinfo(text);
	text_clean(text);
	write_out(&(struct buf){.p = text, .len = strlen(text)}, saved);
}
