/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/out.h"

#include "lib/log.h"
#include "lib/text.h"

#include <stdarg.h>

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

int out_flush(struct err *e)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_errno(e, errno ? errno : EIO, "standard output");
}
