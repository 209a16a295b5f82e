/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is formatted first and then written with one write(2), so that lines of
 * several threads, and of children that share the descriptor, do not mix.
 */
#include "lib/log.h"

#include "lib/file.h"
#include "lib/str.h"

#include <stdarg.h>

static const char *log_name = "rackstrap";
static enum log_level log_max = LOG_LEVEL_INFO;

void log_setup(const char *name, enum log_level level)
{
	log_name = name;
	log_max = level;
}

enum log_level log_get_level(void)
{
	return log_max;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf out = {0};
	int r, saved = errno;
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);

	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line || line == text)
			buf_printf(&out, "%s: %s%s\n", log_name,
				   level == LOG_LEVEL_WARN ? "warning: " : "", line);
	}
	r = write_all(STDERR_FILENO, out.p, out.len);
	(void)r; /* a failure to log cannot be reported */
	errno = saved;
}
