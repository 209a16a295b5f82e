/* SPDX-License-Identifier: Apache-2.0 */
/* Values are a tree: each level is an array of names with their values. */
#include "firstboot/model/template-parts.h"

#include <assert.h>

struct template_values *template_values_new(void)
{
	return xcalloc(1, sizeof(struct template_values));
}

static void value_done(struct template_value *p)
{
	free(p->text);
	strv_free(p->texts);
	for (size_t i = 0; p->groups && i < p->n; i++)
		template_values_free(p->groups[i]);
	free(p->groups);
}

void template_values_free(struct template_values *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++) {
		value_done(&v->v[i]);
		free(v->v[i].name);
	}
	free(v->v);
	free(v);
}

void template_values_free_p(struct template_values **v)
{
	template_values_free(*v);
}

const struct template_value *template_values_find(const struct template_values *v,
						  const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (streq(v->v[i].name, name))
			return &v->v[i];
	return NULL;
}

/* Returns the value of that name, or NULL. Searches from the one that was set last:
 * the values of one host after the other are set in the same order. */
static struct template_value *find_next(struct template_values *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++) {
		size_t at = (v->last + i) % v->n;

		if (streq(v->v[at].name, name)) {
			v->last = at;
			return &v->v[at];
		}
	}
	return NULL;
}

/* Returns the value of that name, which is added or, unless it is a list of groups that
 * is to grow, emptied. */
static struct template_value *set(struct template_values *v, const char *name,
				  enum template_kind kind)
{
	struct template_value *p = find_next(v, name);

	if (!p) {
		v->v = xgrow(v->v, v->n, sizeof(*v->v));
		v->last = v->n;
		p = &v->v[v->n++];
		*p = (struct template_value){.name = xstrdup(name), .kind = kind};
	} else if (kind != TEMPLATE_GROUPS || p->kind != kind) {
		value_done(p);
		*p = (struct template_value){.name = p->name, .kind = kind};
	}
	return p;
}

void template_values_text(struct template_values *v, const char *name, const char *text)
{
	char *copy = xstrdup(text);

	set(v, name, TEMPLATE_TEXT)->text = copy;
}

void template_values_number(struct template_values *v, const char *name, uint64_t number)
{
	assert(number <= INT64_MAX);
	set(v, name, TEMPLATE_NUMBER)->text =
		xasprintf("%llu", (unsigned long long)number);
}

void template_values_flag(struct template_values *v, const char *name, bool flag)
{
	set(v, name, TEMPLATE_FLAG)->flag = flag;
}

void template_values_texts(struct template_values *v, const char *name,
			   char *const *texts)
{
	char **copy = strv_dup(texts);
	struct template_value *p = set(v, name, TEMPLATE_TEXTS);

	p->texts = copy;
	p->n = strv_len(copy);
}

void template_values_clear(struct template_values *v, const char *name)
{
	struct template_value *p = find_next(v, name);

	if (!p)
		return;
	value_done(p);
	*p = (struct template_value){.name = p->name, .kind = p->kind};
}

struct template_values *template_values_group(struct template_values *v, const char *name)
{
	struct template_value *p = set(v, name, TEMPLATE_GROUPS);

	p->groups = xgrow(p->groups, p->n, sizeof(*p->groups));
	p->groups[p->n] = template_values_new();
	return p->groups[p->n++];
}

/* --- samples ----------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t elements;
	bool all;
} samples[] = {
	[TEMPLATE_SAMPLE_THREE] = {"all optional values, and lists of three elements", 3,
				   true},
	[TEMPLATE_SAMPLE_ONE] = {"all optional values, and lists of one element", 1,
				 true},
	[TEMPLATE_SAMPLE_EMPTY] = {"all optional values, and empty lists", 0, true},
	[TEMPLATE_SAMPLE_SPARSE] = {"no optional value, and lists of three elements", 3,
				    false},
	[TEMPLATE_SAMPLE_NONE] = {"no optional value, and empty lists", 0, false},
};

const char *template_sample_name(enum template_sample sample)
{
	return samples[sample].name;
}

/* Returns the sample of a row. `i` makes those of one list differ. */
static char *sample_text(const struct template_row *row, size_t i)
{
	_cleanup_free_ char *word = xstrdup(row->sample ? row->sample : row->name);

	for (char *s = word; *s && !row->sample; s++)
		*s = *s == '.' ? '_' : *s;
	return i > 0 ? xasprintf("%s%zu", word, i + 1) : TAKE_PTR(word);
}

static void fill(struct template_values *v, const struct template_schema *s,
		 enum template_sample sample, size_t i);

static void fill_value(struct template_values *v, const struct template_row *row,
		       enum template_sample sample, size_t i)
{
	_cleanup_free_ char *text = sample_text(row, i);
	_cleanup_strv_builder_ struct strv_builder texts = {0};

	for (size_t k = 0; k < samples[sample].elements; k++) {
		_cleanup_free_ char *element = sample_text(row, k);

		if (row->kind == TEMPLATE_GROUPS)
			fill(template_values_group(v, row->name), row->members, sample,
			     k);
		else if (row->kind == TEMPLATE_TEXTS)
			strv_builder_add(&texts, element);
	}
	if (row->kind == TEMPLATE_TEXTS)
		template_values_texts(v, row->name, texts.v);
	else if (row->kind == TEMPLATE_FLAG)
		template_values_flag(v, row->name, samples[sample].all);
	else if (row->kind == TEMPLATE_TEXT && (samples[sample].all || !row->optional))
		template_values_text(v, row->name, text);
	else if (row->kind == TEMPLATE_NUMBER && (samples[sample].all || !row->optional))
		template_values_number(v, row->name, 10 + i);
}

/* Sets all values of a level, which is the element `i` of its list. */
static void fill(struct template_values *v, const struct template_schema *s,
		 enum template_sample sample, size_t i)
{
	for (size_t k = 0; k < s->n; k++)
		fill_value(v, &s->rows[k], sample, i);
}

struct template_values *template_values_sample(const struct template_schema *s,
					       enum template_sample sample)
{
	struct template_values *v = template_values_new();

	fill(v, s, sample, 0);
	return v;
}
