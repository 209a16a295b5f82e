/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error is a fixed buffer, so that reporting it needs no memory. Messages contain text
 * from outside (a file's content, a tool's output) and are printed on consoles: they are
 * cleaned as lib/text.h says. No message has the user name or password of a URL.
 */
#include "lib/err.h"

#include "lib/text.h"
#include "lib/url.h"

static const char cut[] = "...";

/* Returns the length, at most `max`, to cut `s` to without splitting a UTF-8 sequence. */
static size_t cut_at(const char *s, size_t max)
{
	size_t n = max;

	while (n > 0 && max - n < 4 && ((uint8_t)s[n] & 0xc0) == 0x80)
		n--;
	return ((uint8_t)s[n] & 0xc0) == 0x80 ? max : n;
}

/* Removes newlines at the end of `s`, and what must not be printed. */
static void clean(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && s[n - 1] == '\n')
		s[--n] = '\0';
	url_strip_userinfo(s);
	text_clean(s);
}

/* A message under construction, one byte longer than `msg`, so that store() can see that
 * the text does not fit. */
struct text {
	char s[sizeof(((struct err *)NULL)->msg) + 1];
	size_t len;
};

/* Cleans a text that was cut if it fills its buffer. A URL may have been cut within its
 * user information: with an '@' for the last byte, which no message has room for, that is
 * recognised. */
static void clean_text(struct text *t)
{
	const size_t room = sizeof(t->s) - 1 - sizeof(cut);
	bool full = t->len == sizeof(t->s) - 1;

	if (full)
		t->s[t->len - 1] = '@';
	clean(t->s);
	t->len = strlen(t->s);
	if (full && t->len < sizeof(t->s) - 1) {
		t->len -= t->len > 0 && t->s[t->len - 1] == '@';
		t->len = t->len > room ? cut_at(t->s, room) : t->len;
		memcpy(t->s + t->len, cut, sizeof(cut));
		t->len += sizeof(cut) - 1;
	}
}

/* Copies `text` into the message, cut with "..." at its end when it does not fit. */
static void store(struct err *e, const char *text)
{
	size_t len = strlen(text);

	if (len < sizeof(e->msg)) {
		memmove(e->msg, text, len + 1);
		return;
	}
	len = cut_at(text, sizeof(e->msg) - sizeof(cut));
	memmove(e->msg, text, len);
	memcpy(e->msg + len, cut, sizeof(cut));
}

static _printf_(2, 0) void text_vadd(struct text *t, const char *fmt, va_list ap)
{
	int n = vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, ap);

	if (n > 0)
		t->len = t->len + (size_t)n < sizeof(t->s) ? t->len + (size_t)n
							   : sizeof(t->s) - 1;
}

static _printf_(2, 3) void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	struct text t = {0};
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text_vadd(&t, fmt, ap);
	va_end(ap);
	clean_text(&t);
	e->code = code;
	store(e, t.s);
	return -1;
}

int err_errno(struct err *e, int errnum, const char *fmt, ...)
{
	struct text t = {0};
	char buf[128];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text_vadd(&t, fmt, ap);
	va_end(ap);
	text_add(&t, ": %s", strerror_r(errnum < 0 ? -errnum : errnum, buf, sizeof(buf)));
	clean_text(&t);
	e->code = ERR_FAILED;
	store(e, t.s);
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	struct text t = {0};
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text_vadd(&t, fmt, ap);
	va_end(ap);
	clean_text(&t);
	text_add(&t, ": %s", e->msg);
	store(e, t.s);
	return -1;
}

int diag_add(struct diag *d, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	if (!d)
		return -1;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	va_end(ap);
	clean(line);
	d->lines = xgrow(d->lines, d->n, sizeof(*d->lines));
	d->lines[d->n++] = line;
	return -1;
}

int diag_add_err(struct diag *d, const struct err *e)
{
	for (const char *line = e->msg; *line; line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		diag_add(d, "%.*s", (int)len, line);
		line += len;
	}
	return -1;
}

void diag_done(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->lines[i]);
	free(d->lines);
	*d = (struct diag){0};
}

int diag_err(const struct diag *d, struct err *e)
{
	struct text t = {0};

	if (d->n == 0)
		return 0;
	if (!e)
		return -1;
	for (size_t i = 0; i < d->n; i++)
		text_add(&t, "%s%s", i > 0 ? "\n" : "", d->lines[i]);
	e->code = ERR_CONFIG;
	store(e, t.s);
	return -1;
}
