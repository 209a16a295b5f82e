/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/rack-range.h"

#include <stdlib.h>

#define HEX "0123456789abcdefABCDEF"

static void part_done(struct rack_range_part *p)
{
	free(p->text);
	free(p->first);
	free(p->before);
}

void rack_range_done(struct rack_range *r)
{
	for (size_t i = 0; i < r->n; i++)
		part_done(&r->parts[i]);
	free(r->parts);
	free(r->rest);
	*r = (struct rack_range){0};
}

/* Returns the length of a bracket with its two signs if it can only be meant as ranges,
 * else 0. */
static size_t bracket_len(const char *s, bool hex)
{
	size_t n = strspn(s + 1, hex ? HEX ",-" : "0123456789,-");

	return n > 0 && s[1 + n] == ']' ? n + 2 : 0;
}

/* Returns the first bracket with ranges, or NULL. */
static const char *find_bracket(const char *s, bool hex)
{
	while ((s = strchr(s, '[')) && bracket_len(s, hex) == 0)
		s++;
	return s;
}

/* Returns true for six groups of hexadecimal digits and brackets, with colons between
 * them. */
static bool is_mac(const char *s)
{
	unsigned colons = 0;

	while (*s) {
		size_t n = *s == '[' ? bracket_len(s, true) : strspn(s, HEX);

		if (n == 0 && *s != ':')
			return false;
		colons += n == 0;
		s += n ? n : 1;
	}
	return colons == 5;
}

/* Reads a number. Returns the position behind it, or NULL. */
static const char *read_number(struct rack_range_part *p, const char *s, uint32_t *ret)
{
	size_t n = strspn(s, p->hex ? HEX : "0123456789");
	_cleanup_free_ char *text = xstrndup(s, n);

	if (n == 0 || n > (p->hex ? 7 : 9))
		return NULL;
	if (s[0] == '0' && n > p->digits)
		p->digits = (unsigned)n;
	*ret = (uint32_t)strtoul(text, NULL, p->hex ? 16 : 10);
	return s + n;
}

/* Adds "A" or "A-B". Returns the position behind it, or NULL with *wrong set. */
static const char *add_numbers(struct rack_range_part *p, const char *s,
			       const char **wrong)
{
	uint32_t first, last;
	const char *end = read_number(p, s, &first);

	*wrong = p->hex ? "is no range of hexadecimal numbers with at most seven "
			  "digits, like [01-1f]"
			: "is no range of numbers with at most nine digits, like [1-40]";
	last = first = end ? first : 0;
	if (end && *end == '-')
		end = read_number(p, end + 1, &last);
	if (!end || (*end != ',' && *end != ']'))
		return NULL;
	*wrong = "counts down: write the smaller number first";
	if (last < first)
		return NULL;
	p->first = xgrow(p->first, p->n, sizeof(*p->first));
	p->before = xgrow(p->before, p->n, sizeof(*p->before));
	p->first[p->n] = first;
	p->before[p->n++] = p->count;
	p->count += last - first + 1;
	return end;
}

/* Parses the bracket at `s`. Returns NULL or what is wrong with it. */
static const char *parse_bracket(struct rack_range_part *p, const char *s)
{
	const char *wrong = NULL;

	do {
		s = add_numbers(p, s + 1, &wrong);
	} while (s && *s == ',');
	return s ? NULL : wrong;
}

char *rack_range_parse(struct rack_range *ret, const char *text)
{
	_cleanup_rack_range_ struct rack_range r = {.count = 1};
	const bool hex = is_mac(text);
	const char *at;

	while ((at = find_bracket(text, hex))) {
		struct rack_range_part *p;
		const char *wrong;

		r.parts = xgrow(r.parts, r.n, sizeof(*r.parts));
		p = &r.parts[r.n++];
		*p = (struct rack_range_part){.text = xstrndup(text, (size_t)(at - text)),
					      .hex = hex};
		wrong = parse_bracket(p, at);
		if (wrong)
			return xasprintf("%.*s %s", (int)bracket_len(at, hex), at, wrong);
		if (p->count > RACK_RANGE_MAX / r.count)
			return xasprintf("has more than %d values", RACK_RANGE_MAX);
		r.count *= p->count;
		text = at + bracket_len(at, hex);
	}
	r.rest = xstrdup(text);
	*ret = r;
	r = (struct rack_range){0};
	return NULL;
}

/* Returns number `i` of the bracket, which is in the last range that begins at or before
 * it. */
static uint32_t number_at(const struct rack_range_part *p, size_t i)
{
	size_t k = 0;

	for (size_t end = p->n; end - k > 1;) {
		size_t middle = k + (end - k) / 2;

		if (p->before[middle] <= i)
			k = middle;
		else
			end = middle;
	}
	return p->first[k] + (uint32_t)(i - p->before[k]);
}

char *rack_range_at(const struct rack_range *r, size_t i)
{
	_cleanup_buf_ struct buf b = {0};
	size_t each = r->count;

	for (size_t k = 0; k < r->n; k++) {
		const struct rack_range_part *p = &r->parts[k];

		each /= p->count;
		buf_printf(&b, p->hex ? "%s%0*x" : "%s%0*u", p->text, (int)p->digits,
			   number_at(p, i / each));
		i %= each;
	}
	buf_puts(&b, r->rest);
	return buf_take(&b);
}
