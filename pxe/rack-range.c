/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/rack-range.h"

#define NUMBER_MAX 999999999 /* nine digits */

static void part_done(struct rack_range_part *p)
{
	free(p->text);
	free(p->first);
	free(p->last);
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
static size_t bracket_len(const char *s)
{
	size_t n = strspn(s + 1, "0123456789,-");

	return n > 0 && s[1 + n] == ']' ? n + 2 : 0;
}

/* Returns the first bracket with ranges, or NULL. */
static const char *find_bracket(const char *s)
{
	while ((s = strchr(s, '[')) && bracket_len(s) == 0)
		s++;
	return s;
}

/* Reads a number. Returns the position behind it, or NULL. */
static const char *read_number(const char *s, uint32_t *ret, unsigned *digits)
{
	size_t n = strspn(s, "0123456789");
	_cleanup_free_ char *text = xstrndup(s, n);
	uint64_t v;

	if (str_to_u64(text, NUMBER_MAX, &v) < 0)
		return NULL;
	if (s[0] == '0' && n > *digits)
		*digits = (unsigned)n;
	*ret = (uint32_t)v;
	return s + n;
}

/* Adds "A" or "A-B". Returns the position behind it, or NULL with *wrong set. */
static const char *add_numbers(struct rack_range_part *p, const char *s,
			       const char **wrong)
{
	uint32_t first, last;
	const char *end = read_number(s, &first, &p->digits);

	*wrong = "is no range of numbers with at most nine digits, like [1-40]";
	last = first = end ? first : 0;
	if (end && *end == '-')
		end = read_number(end + 1, &last, &p->digits);
	if (!end || (*end != ',' && *end != ']'))
		return NULL;
	*wrong = "counts down: write the smaller number first";
	if (last < first)
		return NULL;
	p->first = xgrow(p->first, p->n, sizeof(*p->first));
	p->last = xgrow(p->last, p->n, sizeof(*p->last));
	p->first[p->n] = first;
	p->last[p->n++] = last;
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
	const char *at;

	while ((at = find_bracket(text))) {
		struct rack_range_part *p;
		const char *wrong;

		r.parts = xgrow(r.parts, r.n, sizeof(*r.parts));
		p = &r.parts[r.n++];
		*p = (struct rack_range_part){
			.text = xstrndup(text, (size_t)(at - text))};
		wrong = parse_bracket(p, at);
		if (wrong)
			return xasprintf("%.*s %s", (int)bracket_len(at), at, wrong);
		if (p->count > RACK_RANGE_MAX / r.count)
			return xasprintf("has more than %d values", RACK_RANGE_MAX);
		r.count *= p->count;
		text = at + bracket_len(at);
	}
	r.rest = xstrdup(text);
	*ret = r;
	r = (struct rack_range){0};
	return NULL;
}

static uint32_t number_at(const struct rack_range_part *p, size_t i)
{
	size_t k = 0;

	while (i > p->last[k] - p->first[k]) {
		i -= (size_t)(p->last[k] - p->first[k]) + 1;
		k++;
	}
	return p->first[k] + (uint32_t)i;
}

char *rack_range_at(const struct rack_range *r, size_t i)
{
	_cleanup_buf_ struct buf b = {0};
	size_t each = r->count;

	for (size_t k = 0; k < r->n; k++) {
		const struct rack_range_part *p = &r->parts[k];

		each /= p->count;
		buf_printf(&b, "%s%0*u", p->text, (int)p->digits, number_at(p, i / each));
		i %= each;
	}
	buf_puts(&b, r->rest);
	return buf_take(&b);
}
