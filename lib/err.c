/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages contain text from outside (a file's content, a tool's output) and are printed
 * on consoles: they are cleaned as lib/text.h says. No message has the user name or
 * password of a URL; therefore a message is cleaned before it is cut.
 */
#include "lib/err.h"

#include "lib/text.h"
#include "lib/url.h"

static const char cut[] = "...";

#define OTHERS_MAX 32 /* room for "and N more" */

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

/* Returns the cleaned text, whole: in a URL that is cut, a password is not recognised.
 * Owned by the caller. */
static _printf_(1, 0) char *format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	clean(text);
	return text;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	e->code = code;
	store(e, text);
	return -1;
}

int err_errno(struct err *e, int errnum, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL, *whole = NULL;
	char buf[128];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	whole = xasprintf("%s: %s", text,
			  strerror_r(errnum < 0 ? -errnum : errnum, buf, sizeof(buf)));
	e->code = ERR_FAILED;
	store(e, whole);
	return -1;
}

int err_changed(struct err *e, const char *path)
{
	return err_set(e, ERR_FAILED,
		       "%s: changed while it was read: wait until nothing writes to it, "
		       "and run again",
		       path);
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL, *whole = NULL;
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	whole = xasprintf("%s: %s", text, e->msg);
	store(e, whole);
	return -1;
}

/* Makes room for one more complaint and returns its index. */
static size_t new_line(struct diag *d)
{
	d->lines = xgrow(d->lines, d->n, sizeof(*d->lines));
	d->details = xgrow(d->details, d->n, sizeof(*d->details));
	d->folded = xgrow(d->folded, d->n, sizeof(*d->folded));
	d->about = xgrow(d->about, d->n, sizeof(*d->about));
	d->lines[d->n] = d->details[d->n] = NULL;
	d->folded[d->n] = 0;
	d->about[d->n] = (struct diag_about){0};
	return d->n++;
}

static void copy_place(struct diag_place *to, const struct diag_place *from)
{
	*to = *from;
	to->file = xstrdup(from->file);
}

static void place_done(struct diag_place *p)
{
	free((void *)(uintptr_t)p->file);
	*p = (struct diag_place){0};
}

/* Returns the place as the text of a complaint begins with it. Owned by the caller. */
static char *place_text(const struct diag_place *at)
{
	char *text = at->line ? xasprintf("%s:%u: ", at->file, at->line)
			      : xasprintf("%s: ", at->file);

	clean(text);
	return text;
}

static _printf_(3, 0) void add(struct diag *d, const struct diag_place *at,
			       const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = format(fmt, ap);
	_cleanup_free_ char *place = at && at->file ? place_text(at) : NULL;
	_cleanup_free_ char *whole = xasprintf("%s%s", place ? place : "", text);
	size_t i = new_line(d);
	struct err e;

	store(&e, whole);
	d->lines[i] = xstrdup(e.msg);
	if (place) {
		copy_place(&d->about[i].at, at);
		if (strlen(place) < strlen(e.msg))
			d->about[i].message = strlen(place);
	}
}

int diag_add(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -1;
	d->unread = false;
	va_start(ap, fmt);
	add(d, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

int diag_add_at(struct diag *d, const struct diag_place *at, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -1;
	d->unread = false;
	va_start(ap, fmt);
	add(d, at, fmt, ap);
	va_end(ap);
	return -1;
}

int diag_add_unread(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -1;
	d->unread = d->n == 0 || d->unread;
	va_start(ap, fmt);
	add(d, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

int diag_add_unread_at(struct diag *d, const struct diag_place *at, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -1;
	d->unread = d->n == 0 || d->unread;
	va_start(ap, fmt);
	add(d, at, fmt, ap);
	va_end(ap);
	return -1;
}

void diag_host(struct diag *d, const char *host)
{
	if (!d || d->n == 0 || !host)
		return;
	free(d->about[d->n - 1].host);
	d->about[d->n - 1].host = xstrdup(host);
}

void diag_host_from(struct diag *d, size_t from, const char *host)
{
	for (size_t i = from; d && host && i < d->n; i++)
		if (!d->about[i].host)
			d->about[i].host = xstrdup(host);
}

void diag_other(struct diag *d, const struct diag_place *other)
{
	if (!d || d->n == 0 || !other || !other->file)
		return;
	place_done(&d->about[d->n - 1].other);
	copy_place(&d->about[d->n - 1].other, other);
}

const char *diag_message(const struct diag *d, size_t i)
{
	return d->lines[i] + d->about[i].message;
}

void diag_detail(struct diag *d, const char *lines)
{
	if (!d || d->n == 0)
		return;
	free(d->details[d->n - 1]);
	d->details[d->n - 1] = xstrdup(lines);
	text_clean_lines(d->details[d->n - 1]);
}

/* Returns the number of complaints from that line on. */
static size_t count_from(const struct diag *d, size_t i)
{
	size_t n = d->n - i;

	for (; i < d->n; i++)
		n += d->folded[i];
	return n;
}

size_t diag_count(const struct diag *d)
{
	return count_from(d, 0);
}

char *diag_text(const struct diag *d, size_t i)
{
	return xasprintf("%s%s%s", d->lines[i], d->details[i] ? "\n" : "",
			 d->details[i] ? d->details[i] : "");
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

/* Moves `from` to a place that is not set. */
static void move_place(struct diag_place *to, struct diag_place *from)
{
	if (to->file)
		return;
	*to = *from;
	*from = (struct diag_place){0};
}

void diag_move_detail(struct diag *to, struct diag *from, size_t i)
{
	struct diag_about *a, *old = &from->about[i];

	if (!to || to->n == 0)
		return;
	free(to->details[to->n - 1]);
	to->details[to->n - 1] = TAKE_PTR(from->details[i]);
	to->folded[to->n - 1] = from->folded[i];
	a = &to->about[to->n - 1];
	move_place(&a->at, &old->at);
	move_place(&a->other, &old->other);
	if (!a->host)
		a->host = TAKE_PTR(old->host);
}

void diag_move_line(struct diag *to, struct diag *from, size_t i)
{
	size_t n;

	if (!to)
		return;
	to->unread = false;
	n = new_line(to);
	to->about[n] = from->about[i];
	to->folded[n] = from->folded[i];
	to->details[n] = TAKE_PTR(from->details[i]);
	to->lines[n] = TAKE_PTR(from->lines[i]);
	from->lines[i] = xstrdup("");
	from->about[i] = (struct diag_about){0};
}

void diag_move(struct diag *to, struct diag *from)
{
	bool unread = from->unread && (to && (to->unread || to->n == 0));
	size_t n = from->n;

	for (size_t i = 0; to && i < n; i++)
		diag_move_line(to, from, i);
	if (n > 0 && to)
		to->unread = unread;
	diag_done(from);
}

void diag_drop(struct diag *d, size_t i)
{
	free(d->lines[i]);
	free(d->details[i]);
	place_done(&d->about[i].at);
	place_done(&d->about[i].other);
	free(d->about[i].host);
}

void diag_done(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		diag_drop(d, i);
	free(d->lines);
	free(d->details);
	free(d->folded);
	free(d->about);
	*d = (struct diag){0};
}

int diag_err(const struct diag *d, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	size_t i;

	if (d->n == 0)
		return 0;
	if (!e)
		return -1;
	for (i = 0; i < d->n; i++) {
		_cleanup_free_ char *text = diag_text(d, i);
		size_t room = sizeof(e->msg) - (i + 1 < d->n ? OTHERS_MAX : 0);

		if (i > 0 && b.len + 1 + strlen(text) >= room)
			break;
		buf_printf(&b, "%s%s", i > 0 ? "\n" : "", text);
	}
	if (i < d->n && b.len + OTHERS_MAX <= sizeof(e->msg))
		buf_printf(&b, "\nand %zu more", count_from(d, i));
	e->code = d->unread ? ERR_FAILED : ERR_CONFIG;
	store(e, b.p);
	return -1;
}
