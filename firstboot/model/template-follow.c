/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the quoting through a template. Its text is not followed once from the front to
 * the back but along all ways that rendering can take: a section is followed, and is left
 * out; a loop's first, last and other rounds differ, because {{#first}} and {{#last}}
 * write separators; of {{#x}}...{{/x}}{{^x}}...{{/x}} one is followed, then the other.
 * The format's join() merges the states of two ways that meet; a section whose states it
 * cannot merge is refused. A value that is reached in several states gets the place that
 * is right for all.
 */
#include "firstboot/model/template-parts.h"

#include <stdarg.h>

/* Begins the description of a state in which a template may not end. */
#define INSIDE "inside of "

struct follower {
	struct template *t;
	const struct template_type *type;
	struct diag *d;
	bool is_wrong;
	unsigned wrong_line; /* of the last complaint */
};

/* The round of the innermost loop. */
struct round {
	bool first, last;
};

static int follow(struct follower *f, size_t from, size_t to, struct template_state *s,
		  const struct round *round);

/* Adds a complaint, once for each node, and for each line, because another one there may
 * be a consequence. Always returns -1. */
static _printf_(4, 5) int complain(struct follower *f, struct template_node *n,
				   unsigned line, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	f->is_wrong = true;
	if (n->reported || line == f->wrong_line)
		return -1;
	n->reported = true;
	f->wrong_line = line;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return diag_add_at(f->d, &(struct diag_place){.file = f->t->name, .line = line},
			   "%s", text);
}

static int follow_literal(struct follower *f, struct template_node *n,
			  struct template_state *s)
{
	unsigned line = n->line;

	for (size_t i = 0; i < n->len; i++) {
		const char *wrong = f->type->follow(s, n->text[i]);

		if (wrong)
			return complain(f, n, line, "%s", wrong);
		line += n->text[i] == '\n';
	}
	return 0;
}

/* Returns the place for a value that has been reached at both, or PLACE_NONE. */
static enum template_place merge(enum template_place a, enum template_place b)
{
	enum template_place low = a < b ? a : b, high = a < b ? b : a;

	if (low == high || low == PLACE_NONE)
		return high;
	if (low == PLACE_WHOLE && high == PLACE_PART)
		return PLACE_PART;
	/* In a script, where a value of PLACE_WHOLE always has quotes. */
	if (low == PLACE_NAME && high == PLACE_WHOLE)
		return PLACE_WHOLE;
	/* In YAML, where the rules of PLACE_NAME are the stricter ones. */
	if (low == PLACE_NAME && high == PLACE_PART)
		return PLACE_NAME;
	if ((low == PLACE_NAME && high == PLACE_NAME_REST) ||
	    (low == PLACE_BLOCK && high == PLACE_BLOCK_REST))
		return low;
	return PLACE_NONE;
}

static int follow_value(struct follower *f, size_t i, struct template_state *s)
{
	struct template_node *n = &f->t->nodes[i];
	const struct template_node *next = i + 1 < f->t->n ? n + 1 : NULL;
	const char *after = next && next->type == NODE_LITERAL ? next->text : NULL;
	enum template_place place = PLACE_NONE;
	const char *wrong =
		f->type->value(s, next ? after : "", n->kind == TEMPLATE_TEXT, &place);

	if (!wrong && merge(n->place, place) == PLACE_NONE)
		wrong = "is in quotes in some rounds of a loop and not in others";
	if (wrong) {
		s->escaped = s->digits = 0;
		return complain(f, n, n->line, "{{%s}}%s %s", n->name,
				str_after(wrong, TEMPLATE_SENTENCE) ? ":" : "", wrong);
	}
	n->place = merge(n->place, place);
	return 0;
}

/* --- sections ---------------------------------------------------------------------- */

/* Joins `other`, the state of another way, into *s. `begins` describes that way. */
static int join(struct follower *f, struct template_node *n, struct template_state *s,
		const struct template_state *other, const char *begins)
{
	const char *a = f->type->describe(other), *b = f->type->describe(s);

	if (f->type->join(s, other))
		return 0;
	if (streq(a, b))
		return complain(f, n, n->line,
				"{{%s%s}} %s and ends at places that differ, both %s",
				template_sign(n), n->name, begins, a);
	return complain(f, n, n->line, "{{%s%s}} %s %s and ends %s", template_sign(n),
			n->name, begins, a, b);
}

/* Follows the rounds of a loop that has at least one. */
static int follow_loop(struct follower *f, size_t i, struct template_state *s)
{
	struct template_node *n = &f->t->nodes[i];
	const struct round only = {true, true}, first = {true, false},
			   middle = {false, false}, last = {false, true};
	struct template_state begin = *s, before;

	if (follow(f, i + 1, n->end, s, &only) < 0 ||
	    follow(f, i + 1, n->end, &begin, &first) < 0)
		return -1;
	/* States are joined to ever more general ones, of which a format has few. */
	do {
		struct template_state round = before = begin;

		if (follow(f, i + 1, n->end, &round, &middle) < 0 ||
		    join(f, n, &round, &before, "begins") < 0)
			return -1;
		begin = round;
	} while (memcmp(&before, &begin, sizeof(before)) != 0);
	if (follow(f, i + 1, n->end, &begin, &last) < 0)
		return -1;
	return join(f, n, s, &begin, "in another round ends");
}

static int follow_content(struct follower *f, size_t i, struct template_state *s,
			  const struct round *round)
{
	const struct template_node *n = &f->t->nodes[i];
	const char *wrong = f->type->tag(s);
	bool is_loop = n->type == NODE_SECTION &&
		       (n->kind == TEMPLATE_TEXTS || n->kind == TEMPLATE_GROUPS);

	if (wrong)
		return complain(f, &f->t->nodes[i], n->line, "{{%s%s}} %s",
				template_sign(n), n->name, wrong);
	if (is_loop ? follow_loop(f, i, s) < 0 : follow(f, i + 1, n->end, s, round) < 0)
		return -1;
	wrong = f->type->tag(s);
	if (wrong)
		return complain(f, &f->t->nodes[i], n->line, "{{/%s}} %s", n->name,
				wrong);
	return 0;
}

/* Returns true when one of the two sections is rendered and the other is not. */
static bool is_otherwise(const struct template_node *a, const struct template_node *b)
{
	return a->name && b->name && a->type != b->type && b->type != NODE_VALUE &&
	       a->scope == b->scope && streq(a->name, b->name);
}

/* Follows the section `i` and the one behind it if that is the other way. Sets *ret to
 * the index behind. */
static int follow_section(struct follower *f, size_t i, size_t to,
			  struct template_state *s, const struct round *round,
			  size_t *ret)
{
	struct template_node *n = &f->t->nodes[i];
	struct template_state other = *s;
	const char *begins = "begins";
	bool is_first = streq(n->name, "first"),
	     is_round = is_first || streq(n->name, "last");

	*ret = n->end;
	if (is_round && round) {
		bool given = is_first ? round->first : round->last;

		return given == (n->type == NODE_SECTION) ? follow_content(f, i, s, round)
							  : 0;
	}
	if (follow_content(f, i, s, round) < 0)
		return -1;
	if (n->end < to && is_otherwise(n, &f->t->nodes[n->end])) {
		*ret = f->t->nodes[n->end].end;
		begins = "otherwise ends";
		if (follow_content(f, n->end, &other, round) < 0)
			return -1;
	}
	return join(f, n, s, &other, begins);
}

/* Follows the nodes between two indexes; goes on behind a value that is wrong. */
static int follow(struct follower *f, size_t from, size_t to, struct template_state *s,
		  const struct round *round)
{
	for (size_t i = from; i < to; i++) {
		struct template_node *n = &f->t->nodes[i];
		size_t behind = n->end;

		if (n->type == NODE_LITERAL) {
			if (follow_literal(f, n, s) < 0)
				return -1;
		} else if (n->type == NODE_VALUE) {
			(void)follow_value(f, i, s);
		} else if (follow_section(f, i, to, s, round, &behind) < 0) {
			return -1;
		}
		i = behind - 1;
	}
	return 0;
}

int template_follow(struct template *t, struct diag *d)
{
	struct follower f = {.t = t, .type = template_type(t->format), .d = d};
	struct template_state s = f.type->start;

	if (!f.type->follow) {
		for (size_t i = 0; i < t->n; i++)
			t->nodes[i].place = PLACE_PLAIN;
		return 0;
	}
	if (follow(&f, 0, t->n, &s, NULL) < 0)
		return -1;
	if (str_after(f.type->describe(&s), INSIDE))
		return diag_add_at(d, &(struct diag_place){.file = t->name}, "ends %s",
				   f.type->describe(&s));
	return f.is_wrong ? -1 : 0;
}
