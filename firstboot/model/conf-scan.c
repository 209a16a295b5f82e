/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the tokens of a libconfig text and reports mistakes that libconfig 1.5 accepts:
 * integers that do not fit 32 bits (it wraps them silently), unterminated comments and
 * strings, forbidden @include, unlimited nesting, NUL bytes (it stops reading there),
 * groups with so many members that reading them would take hours, and so many values that
 * reading them would take hundreds of megabytes of memory.
 *
 * The tokens are those of libconfig (its manual, "Configuration Files"): comments of
 * three kinds, strings with backslash escapes, words, single characters. Anything else is
 * left to libconfig, which refuses it.
 */
#include "firstboot/model/conf-scan.h"

#include "firstboot/model/conf-language.h"
#include "firstboot/model/conf-syntax.h"

#include <limits.h>

#define CONF_DEPTH   32     /* groups and lists within each other */
#define CONF_MEMBERS 1000   /* of a group: libconfig compares a new one with all others */
#define CONF_VALUES  500000 /* each takes up to 150 bytes of memory, a group twice that */

struct scan {
	const char *p, *end;
	unsigned line, depth, flags;
	unsigned values;                  /* so far, counted by the signs before them */
	unsigned members[CONF_DEPTH + 1]; /* of the group at each depth */
	const char *name;
	struct diag *d;
	bool is_open; /* a comment or string does not end */
	int r;
};

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
	s->is_open = true;
}

static void scan_string(struct scan *s)
{
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
	s->is_open = true;
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
		s->r = diag_add(
			s->d, "%s:%u: the number %.*s is out of range (at most %d)",
			s->name, s->line, (int)(len < 40 ? len : 40), start, INT_MAX);
}

/* Counts a value, a group or list twice. Returns false if there are too many. */
static bool scan_value(struct scan *s)
{
	s->values += strchr("{([", *s->p) ? 2 : 1;
	if (s->values <= CONF_VALUES)
		return true;
	s->r = diag_add(s->d, "%s:%u: too many values: at most %d are allowed", s->name,
			s->line, CONF_VALUES);
	return false;
}

static void scan_open(struct scan *s)
{
	if (++s->depth > CONF_DEPTH) {
		s->r = diag_add(s->d,
				"%s:%u: groups and lists are nested more than %d deep",
				s->name, s->line, CONF_DEPTH);
		s->p = s->end;
		return;
	}
	s->members[s->depth] = 0;
	s->p++;
}

/* Counts a member of a group, at the '=' or ':' behind its name. */
static void scan_member(struct scan *s)
{
	if (s->members[s->depth]++ == CONF_MEMBERS) {
		s->r = diag_add(s->d, "%s:%u: more than %d settings in a group", s->name,
				s->line, CONF_MEMBERS);
		s->p = s->end;
		return;
	}
	s->p++;
}

static void scan_include(struct scan *s)
{
	if (s->flags & CONF_NO_INCLUDE)
		s->r = diag_add(s->d, "%s:%u: @include is not allowed in this file",
				s->name, s->line);
	s->p += strlen("@include");
}

int conf_scan(const char *text, size_t len, const char *name, unsigned flags,
	      struct diag *d)
{
	struct scan s = {.p = text,
			 .end = text + len,
			 .line = 1,
			 .flags = flags,
			 .name = name,
			 .d = d};

	if (conf_encoding(text, len))
		return diag_add(d, "%s: is a text in %s: save it as UTF-8", name,
				conf_encoding(text, len));
	while (s.p < s.end) {
		if (*s.p == '\0') {
			s.r = diag_add(d, "%s:%u: a NUL byte: this is not a text file",
				       name, s.line);
			break;
		}
		if (strchr("{([=:,", *s.p) && !scan_value(&s))
			break;
		if (*s.p == '#' || scan_at(&s, "//"))
			scan_line_comment(&s);
		else if (scan_at(&s, "/*"))
			scan_comment(&s);
		else if (*s.p == '"')
			scan_string(&s);
		else if (scan_at(&s, "@include"))
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
	if (s.is_open && s.r == 0)
		s.r = conf_syntax_report(text, len, name, d);
	return s.r;
}
