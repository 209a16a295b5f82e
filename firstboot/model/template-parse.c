/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to nodes, in one pass: the text is cut at its tags, names are looked up, and
 * sections are matched by a stack. After a mistake in a tag it goes on behind the tag.
 */
#include "firstboot/model/template-parts.h"
#include "lib/text.h"

struct section {
	size_t node;
	const struct template_schema *members; /* of a loop over groups, else NULL */
	unsigned loop;                         /* its number if it is a loop, else 0 */
	bool unknown;                          /* its name is wrong */
};

struct parser {
	struct template *t;
	const struct template_schema *schema;
	struct diag *d;
	size_t at;      /* offset of the next byte */
	size_t literal; /* offset of the text that has no node yet */
	unsigned line, literal_line;
	struct section stack[TEMPLATE_DEPTH_MAX];
	size_t depth;
	unsigned loops;   /* around the place */
	unsigned unknown; /* sections with an unknown name around it */
	bool is_wrong;    /* there is a complaint */
	bool is_unsound;  /* sections or the number of nodes are wrong */
	bool is_lost;     /* which sections are open is not certain */
	bool is_full;
};

static _printf_(2, 3) void complain(struct parser *p, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	p->is_wrong = true;
	diag_add_at(p->d, &(struct diag_place){.file = p->t->name, .line = p->line}, "%s",
		    text);
}

/* Returns a new node, or NULL when there are too many. */
static struct template_node *add_node(struct parser *p, enum node_type type)
{
	struct template *t = p->t;
	struct template_node *n;

	if (t->n == TEMPLATE_NODES_MAX) {
		if (!p->is_full)
			complain(p, "has more than %d tags and texts between them",
				 TEMPLATE_NODES_MAX);
		p->is_unsound = p->is_lost = p->is_full = true;
		return NULL;
	}
	t->nodes = xgrow(t->nodes, t->n, sizeof(*t->nodes));
	n = &t->nodes[t->n++];
	*n = (struct template_node){.type = type, .line = p->line, .end = t->n};
	return n;
}

/* Makes a node of the text between two offsets. */
static void add_literal(struct parser *p, size_t from, size_t to, unsigned line)
{
	struct template_node *n = from < to ? add_node(p, NODE_LITERAL) : NULL;

	if (!n)
		return;
	n->line = line;
	n->text = p->t->text + from;
	n->len = to - from;
}

/* --- names ------------------------------------------------------------------------- */

struct found {
	enum template_kind kind;
	bool optional;
	unsigned scope;
	const struct template_schema *members;
};

static const struct section *innermost_loop(const struct parser *p)
{
	for (size_t i = p->depth; i > 0; i--)
		if (p->stack[i - 1].loop > 0)
			return &p->stack[i - 1];
	return NULL;
}

/* Returns true and sets *ret when the name is known at this place. */
static bool find(const struct parser *p, const char *name, struct found *ret)
{
	const struct section *inner = innermost_loop(p);
	const struct template_row *row = NULL;

	*ret = (struct found){.kind = TEMPLATE_FLAG, .scope = p->loops};
	if (streq(name, "first") || streq(name, "last"))
		return inner;
	ret->kind = TEMPLATE_TEXT;
	if (streq(name, "."))
		return inner && !inner->members;
	ret->scope = 0;
	for (size_t i = p->depth; i > 0 && !row; i--) {
		if (p->stack[i - 1].members)
			row = template_schema_find(p->stack[i - 1].members, name);
		if (row)
			ret->scope = p->stack[i - 1].loop;
	}
	row = row ? row : template_schema_find(p->schema, name);
	if (!row)
		return false;
	ret->kind = row->kind;
	ret->optional = row->optional;
	ret->members = row->members;
	return true;
}

static void complain_unknown(struct parser *p, const char *name)
{
	struct template_loop loops[TEMPLATE_DEPTH_MAX];
	_cleanup_free_ char *text = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->depth; i++)
		if (p->stack[i].members)
			loops[n++] = (struct template_loop){
				.list = p->t->nodes[p->stack[i].node].name,
				.members = p->stack[i].members};
	text = template_complaint(p->schema, loops, n, name);
	complain(p, "%s", text);
}

/* Complains about a name with signs that no name has. */
static void complain_invalid(struct parser *p, const char *name)
{
	_cleanup_free_ char *written = xstrdup(name);
	struct found f;

	for (char *s = written; *s; s++)
		*s = *s == '-' ? '_' : *s;
	if (template_name_is_valid(written) && find(p, written, &f))
		complain(p, "'%s' is written {{%s}}: a '-' is a '_' in names of values",
			 name, written);
	else
		complain(p,
			 "'%s' is no name of a value: use letters, digits and '_', with "
			 "dots in between, at most %d",
			 name, TEMPLATE_NAME_MAX);
}

/* Checks the name of a tag, and looks it up. Returns false after a complaint. */
static bool look_up(struct parser *p, const char *name, struct found *ret)
{
	if (!*name)
		complain(p, "a tag has no name");
	else if (!streq(name, ".") && !template_name_is_valid(name))
		complain_invalid(p, name);
	else if (find(p, name, ret))
		return true;
	else if (p->unknown == 0)
		complain_unknown(p, name);
	else
		p->is_wrong = true; /* a consequence of the section's complaint */
	return false;
}

/* --- tags -------------------------------------------------------------------------- */

/* Returns true within {{#name}} of the same value. */
static bool is_given(const struct parser *p, const char *name, unsigned scope)
{
	for (size_t i = 0; i < p->depth; i++) {
		const struct template_node *n = &p->t->nodes[p->stack[i].node];

		if (n->type == NODE_SECTION && n->scope == scope && streq(n->name, name))
			return true;
	}
	return false;
}

static void add_value(struct parser *p, const char *name)
{
	struct found f = {.kind = TEMPLATE_TEXT};
	bool known = look_up(p, name, &f), is_list;
	struct template_node *n;

	is_list = f.kind == TEMPLATE_TEXTS || f.kind == TEMPLATE_GROUPS;
	if (known &&
	    (is_list || (f.kind == TEMPLATE_FLAG && !template_type(p->t->format)->flags)))
		complain(p, "{{%s}} is a %s: write {{#%s}}...{{/%s}}", name,
			 is_list ? "list" : "flag", name, name);
	else if (known && f.optional && !is_given(p, name, f.scope))
		complain(p, "{{%s}} may be missing: put it into {{#%s}}...{{/%s}}", name,
			 name, name);
	n = add_node(p, NODE_VALUE);
	if (!n)
		return;
	n->kind = f.kind;
	n->scope = f.scope;
	n->name = xstrdup(name);
}

static void open_section(struct parser *p, const char *name, enum node_type type)
{
	struct found f = {.kind = TEMPLATE_FLAG};
	struct section *s = &p->stack[p->depth];
	bool known = look_up(p, name, &f), is_loop;
	struct template_node *n;

	if (known && streq(name, "."))
		complain(p, "{{.}} is always given: it has no section");
	is_loop = type == NODE_SECTION &&
		  (f.kind == TEMPLATE_TEXTS || f.kind == TEMPLATE_GROUPS);
	if (p->depth == TEMPLATE_DEPTH_MAX ||
	    (is_loop && p->loops == TEMPLATE_LOOPS_MAX)) {
		complain(p, "{{#%s}}: at most %d %s can be within each other", name,
			 p->depth == TEMPLATE_DEPTH_MAX ? TEMPLATE_DEPTH_MAX
							: TEMPLATE_LOOPS_MAX,
			 p->depth == TEMPLATE_DEPTH_MAX ? "sections" : "loops");
		p->is_unsound = p->is_lost = true;
		return;
	}
	n = add_node(p, type);
	if (!n)
		return;
	n->kind = f.kind;
	n->scope = f.scope;
	n->name = xstrdup(name);
	*s = (struct section){.node = p->t->n - 1, .unknown = !known};
	if (is_loop) {
		s->loop = ++p->loops;
		s->members = f.members;
	}
	p->unknown += !known;
	p->depth++;
}

const char *template_sign(const struct template_node *n)
{
	return n->type == NODE_SECTION ? "#" : "^";
}

static void pop(struct parser *p)
{
	struct section *s = &p->stack[--p->depth];
	struct template_node *n = &p->t->nodes[s->node];

	n->end = p->t->n;
	p->loops -= s->loop > 0;
	p->unknown -= s->unknown;
}

static void close_section(struct parser *p, const char *name)
{
	const struct template_node *n =
		p->depth > 0 ? &p->t->nodes[p->stack[p->depth - 1].node] : NULL;
	size_t i = p->depth;

	if (p->is_lost)
		return;
	while (i > 0 && !streq(p->t->nodes[p->stack[i - 1].node].name, name))
		i--;
	if (i == 0) {
		complain(p, "{{/%s}} closes no section: {{#%s}} is missing", name, name);
		p->is_unsound = true;
	} else if (i < p->depth) {
		complain(p, "{{/%s}} before {{/%s}}, whose {{%s%s}} is in line %u", name,
			 n->name, template_sign(n), n->name, n->line);
		p->is_unsound = p->is_lost = true;
	}
	while (i > 0 && p->depth >= i)
		pop(p);
}

/* --- the text ---------------------------------------------------------------------- */

/* Returns what is wrong about a sign behind "{{", or NULL. */
static const char *refusal(char c)
{
	if (c == '{')
		return "{{{ is refused, because the format says how values are escaped: "
		       "put a blank between '{' and '{{'";
	if (c == '&')
		return "{{& is refused, because the format says how values are escaped: "
		       "write {{name}}";
	if (c == '>')
		return "{{> is refused: a template includes no other";
	if (c == '=')
		return "{{= is refused: tags are always between {{ and }}";
	return NULL;
}

/* Widens the tag to its whole line with the line's end when only blanks are beside it. */
static void stand_alone(const struct parser *p, size_t *from, size_t *to)
{
	const char *text = p->t->text;
	size_t a = *from, b = *to;

	while (a > p->literal && (text[a - 1] == ' ' || text[a - 1] == '\t'))
		a--;
	if (a > 0 && text[a - 1] != '\n')
		return;
	b += strspn(text + b, " \t");
	b += text[b] == '\r' && text[b + 1] == '\n';
	if (text[b] != '\n' && text[b])
		return;
	*from = a;
	*to = b + (text[b] == '\n');
}

/* Reads the tag whose text is between two offsets and begins with a sign or a name. */
static void read_tag(struct parser *p, size_t from, size_t to)
{
	char c = from < to ? p->t->text[from] : '\0';
	size_t skip = c && strchr("#^/", c) ? 1 : 0;
	_cleanup_free_ char *raw = xstrndup(p->t->text + from + skip, to - from - skip);
	_cleanup_free_ char *trimmed = str_trimmed(raw, " \t");
	const char *name = trimmed ? trimmed : "";

	if (c && refusal(c))
		complain(p, "%s", refusal(c));
	else if (c == '#')
		open_section(p, name, NODE_SECTION);
	else if (c == '^')
		open_section(p, name, NODE_INVERTED);
	else if (c == '/')
		close_section(p, name);
	else
		add_value(p, name);
}

/* Handles the tag at p->at. */
static void parse_tag(struct parser *p)
{
	const char *text = p->t->text, *end, *line_end = strchrnul(text + p->at, '\n');
	size_t from = p->at, to, inner = from + 2 + strspn(text + from + 2, " \t");
	bool quoted = text[inner] == '"';

	end = strstr(text + inner, quoted ? "\"}}" : "}}");
	if (quoted && end == text + inner)
		end = strstr(end + 1, "\"}}");
	if (!end || end > line_end) {
		complain(p, "{{ without }} in the same line: write {{\"{{\"}} for a {{ "
			    "that is no tag");
		p->at = (size_t)(line_end - text);
		return;
	}
	to = (size_t)(end - text) + (quoted ? 3 : 2);
	p->at = to;
	if (text[inner] && strchr("#^/!", text[inner]))
		stand_alone(p, &from, &p->at);
	add_literal(p, p->literal, from, p->literal_line);
	if (quoted)
		add_literal(p, inner + 1, to - 3, p->line);
	else if (text[inner] != '!')
		read_tag(p, inner, to - 2);
	p->line += p->at > to && text[p->at - 1] == '\n';
	p->literal = p->at;
	p->literal_line = p->line;
}

/* Checks the bytes of the text. Returns 0, or -1 after a complaint. */
static int check_text(struct parser *p, size_t len)
{
	const char *text = p->t->text;

	p->line = 1;
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t code = 0;

		n = text[i] ? text_sequence(text + i, &code) : 0;
		if (!text[i])
			complain(p, "has a NUL byte");
		else if (n == 0)
			complain(p, "is not UTF-8");
		else if (!template_type(p->t->format)->any && code != '\n' &&
			 code != '\t' && template_is_control(code))
			complain(p, "has %s",
				 code == '\r'
					 ? "a carriage return: end lines with a newline"
					 : "a control character");
		else if (code == 0xfeff)
			complain(p, "has a byte order mark");
		if (p->is_wrong)
			return -1;
		p->line += code == '\n';
	}
	return 0;
}

int template_parse(struct template *t, size_t len, const struct template_schema *schema,
		   struct diag *d)
{
	struct parser p = {.t = t, .schema = schema, .d = d};

	if (check_text(&p, len) < 0)
		return -1;
	p.line = p.literal_line = 1;
	while (p.at < len && !p.is_full) {
		if (str_after(t->text + p.at, "{{")) {
			parse_tag(&p);
			continue;
		}
		p.line += t->text[p.at++] == '\n';
	}
	add_literal(&p, p.literal, p.at, p.literal_line);
	while (p.depth > 0) {
		const struct template_node *n = &t->nodes[p.stack[p.depth - 1].node];

		p.line = n->line;
		if (!p.is_lost)
			complain(&p, "{{%s%s}} is not closed: {{/%s}} is missing",
				 template_sign(n), n->name, n->name);
		pop(&p);
		p.is_unsound = true;
	}
	return p.is_unsound ? -1 : p.is_wrong;
}
