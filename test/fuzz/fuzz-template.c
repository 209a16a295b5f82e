/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the first byte as a format and the rest as a template, which is rendered with
 * ordinary texts and then with hostile ones in their places. If the ordinary output is
 * right in its format, so is the hostile one, and it differs in nothing but its texts:
 * JSON outside of strings, the events of YAML, the lines and names of the others.
 */
#include "firstboot/model/template-parts.h"
#include "firstboot/model/template.h"
#include "test/fuzz/fuzz-file.h"
#include "test/unit/test-template.h"

#include <jansson.h>
#include <yaml.h>

static const char *const hostile[] = {
	"a\"b",
	"it's",
	"back\\slash",
	"\\",
	"two\nlines",
	"a: b",
	" #c",
	"",
	" ",
	"$(id)",
	"`id`",
	"${x}",
	"]},{[",
	"---",
	"-",
	"- a",
	"|",
	">",
	"#",
	";",
	"[a]",
	"%h",
	"a=b",
	"true",
	"~",
	"\tx",
	"'\"\\$`\n",
	"\xc2\x85",
	"...",
	"&a",
	"*a",
	"!t",
	"x\\",
	"a,b",
	"\xe2\x80\xa8",
	"--",
	"$'a\\'",
	"? a",
	"a\r\nb=c",
	"a\":{\"b",
	"': x",
	"\xef\xbf\xbe",
	"\xff",
	"{{x}}",
	"EOF",
	"*/ //",
	"0",
	"@",
};

/* Returns values of one shape, with `text` for each text. */
static struct template_values *values(const char *text, bool all)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	struct template_values *v = template_values_sample(
		s, all ? TEMPLATE_SAMPLE_THREE : TEMPLATE_SAMPLE_SPARSE);

	for (size_t i = 0; i < s->n; i++) {
		struct template_value *p =
			(struct template_value *)template_values_find(v, s->rows[i].name);

		if (p && p->kind == TEMPLATE_TEXT && p->text)
			template_values_text(v, s->rows[i].name, text);
		for (size_t k = 0; p && k < p->n; k++) {
			if (p->kind == TEMPLATE_TEXTS) {
				free(p->texts[k]);
				p->texts[k] = xstrdup(text);
			} else {
				template_values_text(p->groups[k], "name", text);
				if (all)
					template_values_text(p->groups[k], "address",
							     text);
			}
		}
	}
	return v;
}

/* Returns the JSON without the contents of its strings, or NULL if it is none. */
static char *json_shape(const char *text)
{
	json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
	_cleanup_buf_ struct buf b = {0};
	bool in = false;

	if (!j)
		return NULL;
	json_decref(j);
	for (; *text; text++) {
		if (in && *text == '\\')
			text++;
		else if (*text == '"')
			in = !in;
		else if (!in)
			buf_add(&b, text, 1);
	}
	return buf_take(&b);
}

static char *yaml_shape(const char *text)
{
	yaml_parser_t p;
	_cleanup_buf_ struct buf b = {0};
	bool good = true, ended = false;

	demand(yaml_parser_initialize(&p), "yaml_parser_initialize");
	yaml_parser_set_input_string(&p, (const unsigned char *)text, strlen(text));
	while (good && !ended) {
		yaml_event_t event;

		good = yaml_parser_parse(&p, &event);
		if (!good)
			break;
		ended = event.type == YAML_STREAM_END_EVENT;
		buf_printf(&b, "%c", 'A' + (int)event.type);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&p);
	return good ? buf_take(&b) : NULL;
}

/* Returns the ends of a text's lines, or NULL if the text is wrong. A shell's values may
 * have several lines. */
static char *lines_shape(const char *text, enum template_format format)
{
	struct template_node node = {.type = NODE_LITERAL,
				     .line = 1,
				     .end = 1,
				     .text = text,
				     .len = strlen(text)};
	char name[] = "output";
	struct template all = {.name = name, .format = format, .nodes = &node, .n = 1};
	_cleanup_buf_ struct buf b = {0};

	if (template_follow(&all, NULL) < 0)
		return NULL;
	for (; *text && format != TEMPLATE_SHELL; text++)
		if (*text == '\n')
			buf_puts(&b, "\n");
	return buf_take(&b);
}

static char *shape(const char *text, enum template_format format)
{
	if (format == TEMPLATE_JSON)
		return json_shape(text);
	if (format == TEMPLATE_YAML)
		return yaml_shape(text);
	return lines_shape(text, format);
}

static void try_values(const struct template *t, bool all)
{
	_cleanup_template_values_ struct template_values *v = values("word", all);
	_cleanup_free_ char *text = NULL, *want = NULL;
	struct err e = {0};

	if (template_render(t, v, &text, &e) < 0) {
		demand(*e.msg, "an error without a message");
		return;
	}
	want = shape(text, t->format);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		_cleanup_template_values_ struct template_values *h =
			values(hostile[i], all);
		_cleanup_free_ char *out = NULL, *got = NULL;

		if (template_render(t, h, &out, NULL) < 0)
			continue;
		demand(strcmp(hostile[i], "\xff") != 0 || streq(out, text),
		       "a value that is not UTF-8 was written");
		got = want ? shape(out, t->format) : NULL;
		if (want && (!got || !streq(got, want))) {
			fprintf(stderr, "%s\n=== with '%s':\n%s\n", text, hostile[i],
				out);
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_diag_ struct diag d = {0};
	static const char letters[] = "peisjy";
	const char *letter = size > 0 ? memchr(letters, data[0], strlen(letters)) : NULL;

	if (!letter)
		return 0;
	if (template_compile(&t, (const char *)data + 1, size - 1, "t",
			     (enum template_format)(letter - letters), s, &d) < 0) {
		demand(d.n > 0, "a template was refused without a complaint");
		return 0;
	}
	demand(d.n == 0, "a complaint about a template that passed");
	try_values(t, true);
	try_values(t, false);
	return 0;
}
