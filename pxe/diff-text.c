/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts whose values and effect are the same have one paragraph. Where more than FOLD_MIN
 * paragraphs have the same keys and effect and differ in values only, they become one,
 * with the values of its first host.
 */
#include "lib/text.h"
#include "pxe/diff.h"

#define NAMED_MAX 3  /* hosts that a paragraph names */
#define FOLD_MIN  5  /* paragraphs of one shape that are not folded */
#define WIDE      60 /* characters of two values on one line */

struct group {
	const char *named[NAMED_MAX];
	size_t n;
	const struct diff_change *first;
	size_t shape;
};

struct groups {
	struct intern texts, shapes;
	struct group *v;      /* by the number of the text */
	struct group *folded; /* all of a shape, by its number */
	size_t *alike;        /* texts of a shape, by its number */
};

/* --- parts ----------------------------------------------------------------------- */

static const char *none(const char *value)
{
	return value && *value ? value : "(none)";
}

static void append_value(struct buf *b, const char *indent, const struct diff_value *v)
{
	const char *old = none(v->old), *new = none(v->new);

	if (strlen(old) + strlen(new) <= WIDE) {
		text_line(b, "%s%s: %s -> %s", indent, v->key, old, new);
		return;
	}
	text_line(b, "%s%s:", indent, v->key);
	text_line(b, "%s  - %s", indent, old);
	text_line(b, "%s  + %s", indent, new);
}

static void append_part(struct buf *b, const char **separator, const char *before,
			char *const *v, const char *after)
{
	_cleanup_free_ char *all = NULL;

	if (!v)
		return;
	all = strv_join(v, ", ");
	text_append(b, "%s%s%s%s", *separator, before, all, after);
	*separator = "; ";
}

static void append_effect(struct buf *b, const struct diff_effect *f)
{
	const char *separator = "";

	buf_puts(b, "    on a running host: ");
	append_part(b, &separator, "needs a boot (", f->boot, ")");
	append_part(b, &separator, "restarts ", f->units, "");
	if (f->with)
		separator = ", and with them ";
	append_part(b, &separator, "", f->with, "");
	append_part(b, &separator, "applied live: ", f->live, "");
	append_part(b, &separator, "not known: ", f->unknown, "");
	buf_puts(b, *separator ? "\n" : "nothing\n");
}

static void append_body(struct buf *b, const struct diff_change *c)
{
	for (size_t i = 0; i < c->n; i++)
		append_value(b, "    ", &c->v[i]);
	append_effect(b, &c->effect);
}

/* Appends "NAME", or "N hosts (A, B, C and M more)". */
static void append_names(struct buf *b, const char *const *names, size_t n)
{
	if (n == 1) {
		text_append(b, "%s", names[0]);
		return;
	}
	text_append(b, "%zu hosts (", n);
	for (size_t i = 0; i < n && i < NAMED_MAX; i++)
		text_append(b, "%s%s",
			    i == 0       ? ""
			    : i + 1 == n ? " and "
					 : ", ",
			    names[i]);
	if (n > NAMED_MAX)
		text_append(b, " and %zu more", n - NAMED_MAX);
	buf_puts(b, ")");
}

/* --- hosts of one side ----------------------------------------------------------- */

static void append_members(struct buf *b, const struct diff_members *m, const char *one,
			   const char *many)
{
	const char *names[NAMED_MAX];
	char addr[NET_ADDR_LEN];

	if (m->n > FOLD_MIN) {
		for (size_t i = 0; i < NAMED_MAX; i++)
			names[i] = m->v[i].name;
		append_names(b, names, m->n);
		text_line(b, " %s", many);
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		text_line(b, "%s %s (%s, %s)", m->v[i].name, one, m->v[i].role,
			  m->v[i].address ? net_format_addr(m->v[i].address, addr)
					  : "dhcp");
}

/* --- groups ---------------------------------------------------------------------- */

/* Returns the text without values. Owned by the caller. */
static char *shape_of(const struct diff_change *c)
{
	struct buf b = {0};

	for (size_t i = 0; i < c->n; i++)
		text_line(&b, "%s", c->v[i].key);
	append_effect(&b, &c->effect);
	return buf_take(&b);
}

static void group_add(struct group *g, const struct diff_change *c)
{
	if (g->n < NAMED_MAX)
		g->named[g->n] = c->name;
	if (g->n++ == 0)
		g->first = c;
}

static void group_merge(struct group *to, const struct group *g)
{
	for (size_t i = 0; i < g->n && to->n + i < NAMED_MAX; i++)
		to->named[to->n + i] = g->named[i];
	to->first = to->first ? to->first : g->first;
	to->n += g->n;
}

static void groups_make(struct groups *ret, const struct diff *d)
{
	*ret = (struct groups){.v = xcalloc(d->n_changes + 1, sizeof(*ret->v)),
			       .folded = xcalloc(d->n_changes + 1, sizeof(*ret->v)),
			       .alike = xcalloc(d->n_changes + 1, sizeof(*ret->alike))};
	for (size_t i = 0; i < d->n_changes; i++) {
		_cleanup_free_ char *shape = shape_of(&d->changes[i]);
		_cleanup_buf_ struct buf text = {0};
		struct group *g;
		bool is_new;

		append_body(&text, &d->changes[i]);
		g = &ret->v[intern(&ret->texts, text.p, &is_new)];
		group_add(g, &d->changes[i]);
		g->shape = intern(&ret->shapes, shape, NULL);
		ret->alike[g->shape] += is_new;
	}
	for (size_t i = 0; i < ret->texts.n; i++)
		group_merge(&ret->folded[ret->v[i].shape], &ret->v[i]);
}

static void groups_done(struct groups *g)
{
	intern_done(&g->texts);
	intern_done(&g->shapes);
	free(g->v);
	free(g->folded);
	free(g->alike);
}

static void append_group(struct buf *b, const struct group *g)
{
	append_names(b, g->named, g->n);
	buf_puts(b, "\n");
	append_body(b, g->first);
}

/* Appends one paragraph for all groups of a shape. */
static void append_folded(struct buf *b, const struct group *g)
{
	append_names(b, g->named, g->n);
	text_line(b, ", each with other values; of %s:", g->first->name);
	append_body(b, g->first);
}

static void append_changes(struct buf *b, const struct diff *d)
{
	_cleanup_free_ bool *done = NULL;
	struct groups g;

	groups_make(&g, d);
	done = xcalloc(g.shapes.n + 1, sizeof(*done));
	for (size_t i = 0; i < g.texts.n; i++) {
		size_t shape = g.v[i].shape;

		if (g.alike[shape] <= FOLD_MIN)
			append_group(b, &g.v[i]);
		else if (!done[shape])
			append_folded(b, &g.folded[shape]);
		done[shape] = true;
	}
	groups_done(&g);
}

/* --- all ------------------------------------------------------------------------- */

/* Returns true when a running host would be changed, or may be. */
static bool has_effect(const struct diff *d)
{
	for (size_t i = 0; i < d->n_changes; i++)
		if (!streq(diff_effect_kind(&d->changes[i].effect), "nothing"))
			return true;
	return d->effect.boot;
}

/* Returns true if something changes on a host without a boot, or may do so. */
static bool has_live_effect(const struct diff *d)
{
	for (size_t i = 0; i < d->n_changes; i++) {
		const struct diff_effect *f = &d->changes[i].effect;

		if (strv_len(f->units) || strv_len(f->with) || strv_len(f->live) ||
		    strv_len(f->unknown))
			return true;
	}
	return false;
}

char *diff_text(const struct diff *d)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; d->unknown && d->unknown[i]; i++)
		text_line(&b, "not compared: %s", d->unknown[i]);
	if (d->n > 0)
		text_line(&b, "rack");
	for (size_t i = 0; i < d->n; i++)
		append_value(&b, "    ", &d->v[i]);
	if (d->effect.boot)
		append_effect(&b, &d->effect);
	append_members(&b, &d->appear, "appears", "appear");
	append_members(&b, &d->vanish, "vanishes", "vanish");
	append_changes(&b, d);
	if (has_effect(d))
		text_line(&b, "A running host gets this at its next boot%s.",
			  has_live_effect(d) ? ", or when `firstboot apply` runs on it "
					       "with the new host.cfg"
					     : "");
	return buf_take(&b);
}
