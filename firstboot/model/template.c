/* SPDX-License-Identifier: Apache-2.0 */
/* Rendering walks the nodes of a template; each loop around them has its element. */
#include "firstboot/model/template.h"

#include "firstboot/model/template-parts.h"
#include "lib/text.h"

void template_free(struct template *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->nodes[i].name);
	free(t->nodes);
	free(t->name);
	free(t->text);
	free(t);
}

void template_free_p(struct template **t)
{
	template_free(*t);
}

int template_compile(struct template **ret, const char *text, size_t len,
		     const char *name, enum template_format format,
		     const struct template_schema *schema, struct diag *d)
{
	_cleanup_template_ struct template *t = xcalloc(1, sizeof(*t));
	int r;

	t->name = xstrdup(name);
	t->format = format;
	if (len > TEMPLATE_MAX)
		return diag_add(d, "%s: is larger than %d KiB", name,
				TEMPLATE_MAX / 1024);
	t->text = xmalloc(len + 1);
	if (len > 0)
		memcpy(t->text, text, len);
	t->text[len] = '\0';
	r = template_parse(t, len, schema, d);
	if (r < 0 || template_follow(t, d) < 0 || r > 0)
		return -1;
	*ret = TAKE_PTR(t);
	return 0;
}

bool template_uses_below(const struct template *t, const char *prefix)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct template_node *n = &t->nodes[i];
		const char *rest =
			n->name && n->scope == 0 ? str_after(n->name, prefix) : NULL;

		if (rest && (!*rest || *rest == '.'))
			return true;
	}
	return false;
}

/* --- rendering --------------------------------------------------------------------- */

struct scope {
	const struct template_values *values; /* of the first level or a group, or NULL */
	const char *text; /* the element of a list of texts, or NULL */
	bool first, last;
};

struct renderer {
	const struct template *t;
	struct buf out;
	struct err *e;
	struct scope scopes[TEMPLATE_LOOPS_MAX + 1];
	unsigned loops;
	size_t steps;
};

static int render(struct renderer *r, size_t from, size_t to);

/* Sets the error of a tag. Always returns -1. */
static _printf_(3, 4) int fail(struct renderer *r, const struct template_node *n,
			       const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return err_set(r->e, ERR_CONFIG, "%s:%u: %s", r->t->name, n->line, text);
}

/* Finds the value of a tag; *ret is set to NULL when it is missing. Returns -1 if it is
 * of another kind than the schema says. */
static int find(struct renderer *r, const struct template_node *n,
		const struct template_value **ret)
{
	const struct scope *s = &r->scopes[n->scope];

	*ret = s->values ? template_values_find(s->values, n->name) : NULL;
	if (*ret && (*ret)->kind != n->kind)
		return fail(r, n,
			    "the value of {{%s}} is of another kind than its schema",
			    n->name);
	return 0;
}

static bool is_utf8(const char *s)
{
	for (size_t n; *s; s += n) {
		n = text_sequence(s, NULL);
		if (n == 0)
			return false;
	}
	return true;
}

static int render_value(struct renderer *r, const struct template_node *n)
{
	const struct template_value *v = NULL;
	const char *text, *wrong;

	if (n->scope > 0 && streq(n->name, ".")) {
		text = r->scopes[n->scope].text;
	} else if (n->kind == TEMPLATE_FLAG) {
		bool given = false;

		if (streq(n->name, "first") || streq(n->name, "last"))
			given = streq(n->name, "first") ? r->scopes[r->loops].first
							: r->scopes[r->loops].last;
		else if (find(r, n, &v) < 0)
			return -1;
		text = given || (v && v->flag) ? "true" : "false";
	} else {
		if (find(r, n, &v) < 0)
			return -1;
		text = v ? v->text : NULL;
	}
	if (!text)
		return fail(r, n,
			    "the value of {{%s}} is not given: give it, or put "
			    "{{%s}} into {{#%s}}...{{/%s}}",
			    n->name, n->name, n->name, n->name);
	wrong = is_utf8(text) ? template_type(r->t->format)
					->append(&r->out, n->place, text,
						 n->kind == TEMPLATE_TEXT)
			      : "is not UTF-8";
	if (wrong)
		return fail(r, n, "the value of {{%s}} %s: '%.100s'", n->name, wrong,
			    text);
	return 0;
}

static int render_loop(struct renderer *r, size_t i, const struct template_value *v)
{
	const struct template_node *n = &r->t->nodes[i];
	struct scope *s = &r->scopes[r->loops + 1];
	int result = 0;

	r->loops++;
	for (size_t k = 0; v && k < v->n && result == 0; k++) {
		*s = (struct scope){.first = k == 0, .last = k + 1 == v->n};
		if (v->kind == TEMPLATE_GROUPS)
			s->values = v->groups[k];
		else
			s->text = v->texts[k];
		result = render(r, i + 1, n->end);
	}
	r->loops--;
	return result;
}

static int render_section(struct renderer *r, size_t i)
{
	const struct template_node *n = &r->t->nodes[i];
	const struct template_value *v = NULL;
	bool given;

	if (streq(n->name, "first") || streq(n->name, "last")) {
		given = streq(n->name, "first") ? r->scopes[r->loops].first
						: r->scopes[r->loops].last;
	} else {
		if (find(r, n, &v) < 0)
			return -1;
		given = v && (v->text || v->flag || v->n > 0);
	}
	if (given != (n->type == NODE_SECTION))
		return 0;
	if (n->type == NODE_SECTION &&
	    (n->kind == TEMPLATE_TEXTS || n->kind == TEMPLATE_GROUPS))
		return render_loop(r, i, v);
	return render(r, i + 1, n->end);
}

/* Renders the nodes between two indexes. */
static int render(struct renderer *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i = r->t->nodes[i].end) {
		const struct template_node *n = &r->t->nodes[i];

		if (++r->steps > TEMPLATE_STEPS_MAX)
			return fail(r, n,
				    "its loops have too many rounds: at most %d tags",
				    TEMPLATE_STEPS_MAX);
		if (n->type == NODE_LITERAL)
			buf_add(&r->out, n->text, n->len);
		else if ((n->type == NODE_VALUE ? render_value(r, n)
						: render_section(r, i)) < 0)
			return -1;
		if (r->out.len > TEMPLATE_OUTPUT_MAX)
			return fail(r, n, "makes more than %d MiB",
				    TEMPLATE_OUTPUT_MAX / 1024 / 1024);
	}
	return 0;
}

int template_render(const struct template *t, const struct template_values *v, char **ret,
		    struct err *e)
{
	struct renderer r = {.t = t, .e = e, .scopes = {{.values = v}}};

	if (render(&r, 0, t->n) < 0) {
		buf_done(&r.out);
		return -1;
	}
	*ret = buf_take(&r.out);
	return 0;
}
