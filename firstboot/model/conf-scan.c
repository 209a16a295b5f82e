/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the tokens of a libconfig text and reports mistakes that libconfig 1.5 accepts:
 * integers that do not fit 32 bits (it wraps them silently), unterminated comments and
 * strings, forbidden @include, unlimited nesting, NUL bytes (it stops reading there),
 * strings of a list without a comma between them,
 * groups with so many members that reading them would take hours, and so many values that
 * reading them would take hundreds of megabytes of memory.
 *
 * The tokens are those of libconfig (its manual, "Configuration Files"): comments of
 * three kinds, strings with backslash escapes, words, single characters. Anything else is
 * left to libconfig, which refuses it.
 */
#include "firstboot/model/conf-scan.h"

#include "firstboot/model/conf-language.h"

#include <limits.h>
#include <stdarg.h>

#define INCLUDE      "@include"
#define CONF_DEPTH   32   /* groups and lists within each other */
#define CONF_MEMBERS 1000 /* of a group: libconfig compares a new one with all others */
/* Values of a file, and of one that may be as large as a rack. Each takes up to 250 bytes
 * of memory, a group twice that. */
#define CONF_VALUES      500000
#define CONF_VALUES_RACK 10000000

struct scan {
	const char *p, *end;
	unsigned line, depth, flags;
	unsigned values;                  /* so far, counted by the signs before them */
	unsigned members[CONF_DEPTH + 1]; /* of the group at each depth */
	char open[CONF_DEPTH + 1];        /* the bracket that began each depth */
	bool after_string;
	const struct conf_lines *lines;
	struct conf_scanned *ret;
	struct diag *d;
	int r;
};

/* Adds a complaint about the present line. */
static void _printf_(2, 3) complain(struct scan *s, const char *fmt, ...)
{
	_cleanup_free_ char *msg = NULL;
	unsigned line;
	const char *name = conf_lines_place(s->lines, s->line, &line);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	s->r = diag_add_at(s->d, &(struct diag_place){.file = name, .line = line}, "%s",
			   msg);
}

static bool scan_at(const struct scan *s, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, word, n) == 0;
}

static void scan_line_comment(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
}

static void scan_comment(struct scan *s)
{
	for (s->p += 2; s->p < s->end; s->p++) {
		if (scan_at(s, "*/")) {
			s->p += 2;
			return;
		}
		if (*s->p == '\n')
			s->line++;
	}
	s->ret->is_open = true;
}

/* libconfig joins strings that follow each other. In a list that is a missing comma,
 * which would make one ssh key of two. */
static void check_joined(struct scan *s)
{
	if (s->after_string && strchr("([", s->open[s->depth]) && s->open[s->depth])
		complain(s, "a ',' is missing between two strings of a list");
	s->after_string = true;
}

static void scan_string(struct scan *s)
{
	check_joined(s);
	for (s->p++; s->p < s->end; s->p++) {
		if (*s->p == '"') {
			s->p++;
			return;
		}
		if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		if (*s->p == '\n')
			s->line++;
	}
	s->ret->is_open = true;
}

static bool in_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '+' || c == '*' ||
	       c == '.';
}

/* Returns true when a word is an integer, decimal or hexadecimal, that does not fit an
 * int. */
static bool wraps(const char *w, size_t len)
{
	const char *digits = "0123456789";
	unsigned base = 10;
	bool minus = len && w[0] == '-';
	uint64_t v = 0;
	size_t i = len && (w[0] == '-' || w[0] == '+');

	if (len > 2 && w[0] == '0' && (w[1] == 'x' || w[1] == 'X')) {
		digits = "0123456789abcdef";
		base = 16;
		i = 2;
	}
	if (i == len)
		return false;
	for (; i < len; i++) {
		char c = w[i] >= 'A' && w[i] <= 'Z' ? (char)(w[i] + 32) : w[i];
		const char *at = c ? strchr(digits, c) : NULL;

		if (!at)
			return false; /* not an integer */
		if (v <= UINT32_MAX)
			v = v * base + (uint64_t)(at - digits);
	}
	return v > (uint64_t)INT_MAX + minus;
}

static void scan_word(struct scan *s)
{
	const char *start = s->p;
	size_t len;

	while (s->p < s->end && in_word(*s->p))
		s->p++;
	len = (size_t)(s->p - start);
	if (wraps(start, len))
		complain(s, "the number %.*s is out of range (at most %d)",
			 (int)(len < 40 ? len : 40), start, INT_MAX);
}

/* Counts a value, a group or list twice. Returns false if there are too many. */
static bool scan_value(struct scan *s)
{
	const size_t max = s->flags & CONF_OF_RACK ? CONF_VALUES_RACK : CONF_VALUES;

	s->values += strchr("{([", *s->p) ? 2 : 1;
	if (s->values <= max)
		return true;
	complain(s, "too many values: at most %zu are allowed", max);
	return false;
}

static void scan_open(struct scan *s)
{
	if (++s->depth > CONF_DEPTH) {
		complain(s, "groups and lists are nested more than %d deep", CONF_DEPTH);
		s->p = s->end;
		return;
	}
	s->members[s->depth] = 0;
	s->open[s->depth] = *s->p;
	s->p++;
}

/* Counts a member of a group, at the '=' or ':' behind its name. */
static void scan_member(struct scan *s)
{
	if (s->members[s->depth]++ == CONF_MEMBERS) {
		complain(s, "more than %d settings in a group", CONF_MEMBERS);
		s->p = s->end;
		return;
	}
	s->p++;
}

/* Returns the end of @include "FILE" in a line of its own (scanner.l of libconfig), which
 * has a name; NULL when there is none. */
static const char *include_end(const struct scan *s)
{
	const char *from = s->p, *p = s->p + strlen(INCLUDE);

	while (from > s->lines->text && strchr(" \t", from[-1]))
		from--;
	if (from > s->lines->text && from[-1] != '\n')
		return NULL;
	if (!strspn(p, " \t"))
		return NULL;
	p += strspn(p, " \t");
	if (*p != '"' || p[1] == '"')
		return NULL;
	for (p++; *p && *p != '"' && *p != '\n'; p++)
		if (p[0] == '\\' && (p[1] == '\\' || p[1] == '"'))
			p++;
	return *p == '"' ? p + 1 : NULL;
}

/* Returns the name between the quotation marks, owned by the caller. */
static char *include_name(const char *from, const char *end)
{
	_cleanup_buf_ struct buf b = {0};
	const char *p = memchr(from, '"', (size_t)(end - from));

	for (p++; p < end - 1; p++) {
		if (p[0] == '\\' && (p[1] == '\\' || p[1] == '"'))
			p++;
		buf_add(&b, p, 1);
	}
	return buf_take(&b);
}

static void scan_include(struct scan *s)
{
	const char *end = include_end(s);
	struct conf_scanned *r = s->ret;

	if (s->flags & CONF_NO_INCLUDE) {
		complain(s, "@include is not allowed in this file");
	} else if (!end) {
		complain(s, "write @include \"FILE\" in a line of its own");
	} else {
		r->includes = xgrow(r->includes, r->n_includes, sizeof(*r->includes));
		r->includes[r->n_includes++] =
			(struct conf_include){.at = (size_t)(s->p - s->lines->text),
					      .end = (size_t)(end - s->lines->text),
					      .line = s->line,
					      .name = include_name(s->p, end)};
	}
	s->p = end ? end : s->p + strlen(INCLUDE);
}

void conf_scanned_done(struct conf_scanned *s)
{
	for (size_t i = 0; i < s->n_includes; i++)
		free(s->includes[i].name);
	free(s->includes);
	*s = (struct conf_scanned){0};
}

int conf_scan(const struct conf_lines *lines, unsigned flags, struct conf_scanned *ret,
	      struct diag *d)
{
	struct scan s = {.p = lines->text,
			 .end = lines->text + lines->len,
			 .line = 1,
			 .flags = flags,
			 .lines = lines,
			 .ret = ret,
			 .d = d};

	if (conf_encoding(lines->text, lines->len))
		return diag_add_at(d, &(struct diag_place){.file = lines->pieces[0].name},
				   "is a text in %s: save it as UTF-8",
				   conf_encoding(lines->text, lines->len));
	if (str_after(lines->text, "\xef\xbb\xbf")) {
		complain(&s,
			 "begins with a byte order mark (BOM): save the file as UTF-8 "
			 "without BOM");
		return -1;
	}
	while (s.p < s.end) {
		if (*s.p == '\0') {
			complain(&s, "a NUL byte: this is not a text file");
			break;
		}
		if (strchr("{([=:,", *s.p) && !scan_value(&s))
			break;
		if (strchr("{}[]():=;,", *s.p) || in_word(*s.p))
			s.after_string = false;
		if (*s.p == '#' || scan_at(&s, "//"))
			scan_line_comment(&s);
		else if (scan_at(&s, "/*"))
			scan_comment(&s);
		else if (*s.p == '"')
			scan_string(&s);
		else if (scan_at(&s, INCLUDE))
			scan_include(&s);
		else if (in_word(*s.p))
			scan_word(&s);
		else if (strchr("{([", *s.p))
			scan_open(&s);
		else if (*s.p == '=' || *s.p == ':')
			scan_member(&s);
		else {
			if (strchr("})]", *s.p) && s.depth > 0)
				s.depth--;
			if (*s.p == '\n')
				s.line++;
			s.p++;
		}
	}
	return s.r;
}
