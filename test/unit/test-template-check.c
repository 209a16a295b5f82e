/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs of templates, read back by the programs that they are for: sh, two versions of
 * systemd's reader of environment files, jansson and libyaml give the values that were
 * written, whatever these are. And the check of outputs at build.
 */
#include "builder/recipe/template-check.h"
#include "lib/file.h"
#include "lib/run.h"
#include "test/unit/test-template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <jansson.h>
#include <yaml.h>

#define N 400 /* values of a test */

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Returns a text of up to seven pieces that mean something to one of the formats. Owned
 * by the caller. */
static char *random_text(bool controls)
{
	static const char *const pieces[] = {
		"a",
		"b",
		"7",
		" ",
		"  ",
		"\"",
		"'",
		"\\",
		"$",
		"`",
		"$(id)",
		"${HOME}",
		"#",
		" #",
		";",
		"&",
		"|",
		"<",
		">",
		"(",
		")",
		"*",
		"?",
		"[",
		"]",
		"{",
		"}",
		"~",
		"!",
		"%",
		"=",
		":",
		": ",
		",",
		"-",
		"- ",
		"---",
		".",
		"/",
		"@",
		"^",
		"+",
		"\xc3\xa4",
		"\xf0\x9f\x98\x80",
		"true",
		"null",
		"\n",
		"\t",
		"\r",
		"\x01",
		"\x7f",
		"\xc2\x85",
		"\xe2\x80\xa8",
		"\xef\xbb\xbf",
	};
	struct buf b = {0};
	uint32_t of = ARRAY_SIZE(pieces) - (controls ? 0 : 8);

	for (uint32_t n = random_below(8); n > 0; n--)
		buf_puts(&b, pieces[random_below(of)]);
	return buf_take(&b);
}

/* Renders a template with N hosts of random names, which *ret_names gets. */
static char *render_random(const char *text, enum template_format format, bool controls,
			   char ***ret_names)
{
	_cleanup_template_values_ struct template_values *v = template_values_new();
	_cleanup_strv_builder_ struct strv_builder names = {0};
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *wrong = template_test_compile(&t, text, format);
	struct err e = {0};
	char *out = NULL;

	if (wrong)
		fail_msg("%s", wrong);
	for (unsigned i = 0; i < N; i++) {
		_cleanup_free_ char *name = random_text(controls);

		strv_builder_add(&names, name);
		template_test_host(v, name, NULL, i, false);
	}
	if (template_render(t, v, &out, &e) < 0)
		fail_msg("%s", e.msg);
	*ret_names = strv_builder_take(&names);
	return out;
}

/* Returns the words that a shell's script prints, each with a NUL behind it. */
static char *run_script(const char *script, size_t *ret_len)
{
	static const char *const argv[] = {"sh", NULL};
	_cleanup_close_ int in = memfd_create("script", MFD_CLOEXEC);
	const struct run r = {.argv = argv, .in = in, .timeout_ms = 60000};
	struct err e = {0};
	char *out = NULL;

	assert_int_equal(write_all(in, script, strlen(script)), 0);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	if (run_capture(&r, &out, ret_len, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

static void assert_words(const char *words, size_t len, char *const *want)
{
	const char *end = words + len;

	for (size_t i = 0; want[i]; i++) {
		assert_true(words < end);
		assert_string_equal(words, want[i]);
		words += strlen(words) + 1;
	}
	assert_ptr_equal(words, end);
}

static void test_shell_reads_the_values(void **state _unused_)
{
	static const char *const texts[] = {
		"{{#hosts}}\nprintf '%s\\0' {{name}} # comment'\n{{/hosts}}\n",
		"{{#hosts}}\nprintf '%s\\0' \"{{name}}\"\n{{/hosts}}\n",
		"{{#hosts}}\nprintf '%s\\0' '{{name}}'\n{{/hosts}}\n",
		"{{#hosts}}\nV={{name}} W=\nprintf '%s\\0' \"$W${V}\"\n{{/hosts}}\n",
		"printf '%s\\0' {{#hosts}}{{name}} {{/hosts}}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_strv_ char **names = NULL;
		_cleanup_free_ char *script =
			render_random(texts[i], TEMPLATE_SHELL, true, &names);
		size_t len = 0;
		_cleanup_free_ char *words = run_script(script, &len);

		assert_words(words, len, names);
	}
}

/* --- environment ------------------------------------------------------------------- */

static const char *const environment_texts[] = {
	"{{#hosts}}\nV_{{port}}={{name}}\n{{/hosts}}",
	"{{#hosts}}\nV_{{port}}={{name}}{{^name}}{{/name}}\n{{/hosts}}",
	"{{#hosts}}\nV_{{port}}=\"{{name}}\"\n# {{port}}\n{{/hosts}}",
};

static void test_shell_reads_an_environment(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(environment_texts); i++) {
		_cleanup_strv_ char **names = NULL;
		_cleanup_free_ char *file = render_random(
			environment_texts[i], TEMPLATE_ENVIRONMENT, false, &names);
		_cleanup_buf_ struct buf b = {0};
		_cleanup_free_ char *words = NULL;
		size_t len = 0;

		buf_puts(&b, file);
		for (unsigned k = 0; k < N; k++)
			buf_printf(&b, "printf '%%s\\0' \"$V_%u\"\n", k);
		words = run_script(b.p, &len);
		assert_words(words, len, names);
	}
}

enum reading {
	PRE_KEY,
	KEY,
	PRE_VALUE,
	VALUE,
	VALUE_ESCAPE,
	SINGLE_QUOTE,
	SINGLE_QUOTE_ESCAPE,
	DOUBLE_QUOTE,
	DOUBLE_QUOTE_ESCAPE,
	COMMENT,
	COMMENT_ESCAPE,
};

/* Reads a character of a value in quotes: systemd 219 takes the backslash away before any
 * character, later versions only where a shell does. */
static enum reading read_quoted(struct buf *value, enum reading r, char c, bool old)
{
	switch (r) {
	case SINGLE_QUOTE:
	case DOUBLE_QUOTE:
		if (c == (r == SINGLE_QUOTE ? '\'' : '"'))
			return PRE_VALUE;
		if (c == '\\' && (old || r == DOUBLE_QUOTE))
			return r == SINGLE_QUOTE ? SINGLE_QUOTE_ESCAPE
						 : DOUBLE_QUOTE_ESCAPE;
		buf_add(value, &c, 1);
		return r;
	default:
		if (!old && !strchr("\"\\`$\n", c))
			buf_puts(value, "\\");
		if (c != '\n')
			buf_add(value, &c, 1);
		return r == SINGLE_QUOTE_ESCAPE ? SINGLE_QUOTE : DOUBLE_QUOTE;
	}
}

/* Reads a file as parse_env_file_internal() of systemd does. Returns the values. */
static char **read_environment(const char *s, bool old)
{
	_cleanup_strv_builder_ struct strv_builder values = {0};
	_cleanup_buf_ struct buf value = {0};
	enum reading r = PRE_KEY;
	size_t blanks = 0; /* at the value's end */

	for (; *s; s++) {
		bool ends = *s == '\n';

		if (r >= SINGLE_QUOTE && r <= DOUBLE_QUOTE_ESCAPE) {
			r = read_quoted(&value, r, *s, old);
		} else if (r == COMMENT || r == COMMENT_ESCAPE) {
			r = r == COMMENT_ESCAPE ? COMMENT
			    : *s == '\\'        ? COMMENT_ESCAPE
			    : ends              ? PRE_KEY
						: COMMENT;
		} else if (r == PRE_KEY || r == KEY) {
			r = *s == '='                          ? PRE_VALUE
			    : ends                             ? PRE_KEY
			    : strchr("#;", *s) && r == PRE_KEY ? COMMENT
							       : KEY;
		} else if (r == VALUE_ESCAPE) {
			r = VALUE;
			blanks = 0;
			if (!ends)
				buf_add(&value, s, 1);
		} else if (ends) {
			_cleanup_free_ char *text = buf_take(&value);

			text[strlen(text) - blanks] = '\0';
			strv_builder_add(&values, text);
			r = PRE_KEY;
			blanks = 0;
		} else if (*s == '\\') {
			r = VALUE_ESCAPE;
		} else if (r == PRE_VALUE && strchr("'\"", *s)) {
			r = *s == '"' ? DOUBLE_QUOTE : SINGLE_QUOTE;
		} else if (r == VALUE || !strchr(" \t", *s)) {
			r = VALUE;
			blanks = strchr(" \t", *s) ? blanks + 1 : 0;
			buf_add(&value, s, 1);
		}
	}
	return strv_builder_take(&values);
}

static void test_systemd_reads_an_environment(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(environment_texts); i++) {
		_cleanup_strv_ char **names = NULL;
		_cleanup_free_ char *file = render_random(
			environment_texts[i], TEMPLATE_ENVIRONMENT, false, &names);
		_cleanup_strv_ char **old = read_environment(file, true),
				    **new = read_environment(file, false);

		for (size_t k = 0; k < N; k++) {
			assert_string_equal(old[k], names[k]);
			assert_string_equal(new[k], names[k]);
		}
		assert_null(old[N]);
		assert_null(new[N]);
	}
}

/* --- json and yaml ----------------------------------------------------------------- */

static void test_jansson_reads_the_values(void **state _unused_)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *text =
		render_random("[{{#hosts}}{{name}}, \"a{{name}}b\", {{port}}, "
			      "{{master}}{{^last}},{{/last}}\n"
			      "{{/hosts}}]",
			      TEMPLATE_JSON, true, &names);
	json_error_t error;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!j)
		fail_msg("%s", error.text);
	assert_int_equal(json_array_size(j), 4 * N);
	for (size_t i = 0; i < N; i++) {
		_cleanup_free_ char *part = xasprintf("a%sb", names[i]);

		assert_string_equal(json_string_value(json_array_get(j, 4 * i)),
				    names[i]);
		assert_string_equal(json_string_value(json_array_get(j, 4 * i + 1)),
				    part);
		assert_int_equal(json_integer_value(json_array_get(j, 4 * i + 2)), i);
		assert_true(json_is_false(json_array_get(j, 4 * i + 3)));
	}
	json_decref(j);
}

/* Returns the text of all scalars. */
static char **yaml_scalars(const char *text)
{
	_cleanup_strv_builder_ struct strv_builder b = {0};
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_parser_t p;

	assert_true(yaml_parser_initialize(&p));
	yaml_parser_set_input_string(&p, (const unsigned char *)text, strlen(text));
	while (type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		if (!yaml_parser_parse(&p, &event))
			fail_msg("line %zu: %s", p.problem_mark.line + 1, p.problem);
		type = event.type;
		if (type == YAML_SCALAR_EVENT)
			strv_builder_add(&b, (const char *)event.data.scalar.value);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&p);
	return strv_builder_take(&b);
}

static void test_libyaml_reads_the_values(void **state _unused_)
{
	static const struct {
		const char *text;
		bool controls;
	} cases[] = {
		{"{{#hosts}}\n- {{name}}\n{{/hosts}}\n", true},
		{"[{{#hosts}}{{name}}{{^last}},{{/last}}{{/hosts}}]\n", true},
		{"{{#hosts}}\n- \"{{name}}\"\n{{/hosts}}\n", true},
		{"{{#hosts}}\n- '{{name}}'\n{{/hosts}}\n", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strv_ char **names = NULL, **got = NULL;
		_cleanup_free_ char *text = render_random(cases[i].text, TEMPLATE_YAML,
							  cases[i].controls, &names);

		got = yaml_scalars(text);
		for (size_t k = 0; k < N; k++)
			assert_string_equal(got[k], names[k]);
		assert_null(got[N]);
	}
}

static void test_libyaml_reads_the_values_of_a_block(void **state _unused_)
{
	_cleanup_strv_ char **names = NULL, **got = NULL;
	_cleanup_free_ char *text = render_random(
		"{{#hosts}}\n- |-\n  :{{name}}\n{{/hosts}}\n- {{#hosts}}{{#first}}"
		"end{{/first}}{{/hosts}}\n",
		TEMPLATE_YAML, false, &names);

	got = yaml_scalars(text);
	for (size_t i = 0; i < N; i++)
		assert_string_equal(got[i] + 1, names[i]);
	assert_string_equal(got[N], "end");
}

/* --- the check at build ------------------------------------------------------------ */

static const struct {
	enum template_format format;
	const char *text, *want; /* NULL: every sample is right */
} checks[] = {
	{TEMPLATE_PLAIN, "\x01", NULL},
	{TEMPLATE_JSON, "[{{#host.dns}}{{.}}{{^last}},{{/last}}{{/host.dns}}]", NULL},
	{TEMPLATE_JSON, "[\n{{#host.dns}}\n{{.}},\n{{/host.dns}}\n]",
	 "t: what it makes is no JSON: line 5: unexpected token near ']' (tried with "
	 "all optional "
	 "values, and lists of three elements)"},
	{TEMPLATE_JSON, "{ {{x}}: 1{{#y}}, {{x}}: 1{{/y}}}",
	 "t: what it makes is no JSON: line 1: duplicate object key near '\"x\"' (tried "
	 "with "
	 "all optional values, and lists of three elements)"},
	{TEMPLATE_JSON, "{{#y}}1{{/y}}",
	 "t: what it makes is no JSON: line 1: unexpected token near end of file "
	 "(tried with "
	 "no optional value, and lists of three elements)"},
	{TEMPLATE_YAML, "a: {{x}}\nb: [{{#host.dns}}{{.}}, {{/host.dns}}]\n", NULL},
	{TEMPLATE_YAML, "a: b\nc\n",
	 "t: what it makes is no YAML: line 3: could not find expected ':' (tried with "
	 "all optional values, and lists of three elements)"},
	{TEMPLATE_SHELL,
	 "if true; then\n{{#y}}\necho {{y}}\n{{/y}}\n{{^y}}\n:\n{{/y}}\nfi\n", NULL},
	{TEMPLATE_SHELL, "#!/bin/bash\na=({{x}})\n", NULL},
	{TEMPLATE_INI, "[a]\n# b\nc={{x}} \\\n  d\n\n", NULL},
	{TEMPLATE_INI, "[a]\n{{#host.dns}}{{.}} {{/host.dns}}\n",
	 "t: what it makes is no INI file: line 2: is no comment, [SECTION] or KEY=VALUE "
	 "(tried "
	 "with all optional values, and lists of three elements)"},
	{TEMPLATE_ENVIRONMENT, "A={{x}}\n{{#hosts}}\nB_{{port}}={{name}}\n{{/hosts}}\n",
	 NULL},
	{TEMPLATE_ENVIRONMENT, "{{x}}\n",
	 "t:1: a line is neither a comment nor NAME=VALUE"},
};

static void test_samples_are_checked(void **state _unused_)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		_cleanup_template_ struct template *t = NULL;
		_cleanup_free_ char *wrong =
			template_test_compile(&t, checks[i].text, checks[i].format);
		_cleanup_diag_ struct diag d = {0};
		const char *got = wrong;

		if (!wrong && template_check_samples(t, s, &d) < 0)
			got = d.lines[0];
		if (checks[i].want)
			assert_string_equal(got, checks[i].want);
		else if (got)
			fail_msg("%s", got);
	}
}

static void test_outputs_are_checked(void **state _unused_)
{
	static const struct {
		enum template_format format;
		const char *output, *want, *shown;
	} cases[] = {
		{TEMPLATE_ENVIRONMENT, "A=1\n", "", NULL},
		{TEMPLATE_ENVIRONMENT, "A=1\nB C=1\n",
		 "t: what it makes is no environment file: line 2: a line is neither a "
		 "comment "
		 "nor NAME=VALUE",
		 "    A=1\n    B C=1\n    ^"},
		{TEMPLATE_ENVIRONMENT, "A=\"1\n",
		 "t: what it makes is no environment file: ends inside of double quotes",
		 NULL},
		{TEMPLATE_INI, "[a\n",
		 "t: what it makes is no INI file: line 1: the head of a section has no "
		 "']'",
		 "    [a\n    ^"},
		{TEMPLATE_JSON, "{\n  \"\xc3\xa4\": 1,\n  }\n",
		 "t: what it makes is no JSON: line 3: string or '}' expected near '}'",
		 "    \"\xc3\xa4\": 1,\n    }\n    ^"},
		{TEMPLATE_JSON, "[1, 2,\n\n",
		 "t: what it makes is no JSON: line 3: ']' expected near end of file",
		 "    [1, 2,\n          ^"},
		{TEMPLATE_YAML, "a: [\n",
		 "t: what it makes is no YAML: line 2: did not find "
		 "expected node content",
		 "    a: [\n        ^"},
		{TEMPLATE_YAML, "\xc3\xa4: b\nc: ]\n",
		 "t: what it makes is no YAML: line 2: did not find expected node "
		 "content",
		 "    \xc3\xa4: b\n    c: ]\n       ^"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_template_ struct template *t = NULL;
		_cleanup_free_ char *shown = NULL;
		_cleanup_free_ char *wrong =
			template_test_compile(&t, "", cases[i].format);
		struct err e = {0};
		int r = template_check_output(t, cases[i].output, &shown, &e);

		assert_null(wrong);
		assert_int_equal(r, *cases[i].want ? -1 : 0);
		assert_string_equal(e.msg, cases[i].want);
		assert_string_equal(shown ? shown : "",
				    cases[i].shown ? cases[i].shown : "");
	}
}

static void test_script_that_is_wrong_is_refused(void **state _unused_)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *wrong = template_test_compile(
		&t, "if true; then\n{{#y}}\necho {{y}}\n{{/y}}\nfi\n", TEMPLATE_SHELL);
	_cleanup_diag_ struct diag d = {0};

	assert_null(wrong);
	assert_int_equal(template_check_samples(t, s, &d), -1);
	if (!str_after(d.lines[0],
		       "t: what it makes is no shell script: sh exited with 2: ") ||
	    !str_ends(d.lines[0],
		      " (tried with no optional value, and lists of three elements)"))
		fail_msg("%s", d.lines[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shell_reads_the_values),
		cmocka_unit_test(test_shell_reads_an_environment),
		cmocka_unit_test(test_systemd_reads_an_environment),
		cmocka_unit_test(test_jansson_reads_the_values),
		cmocka_unit_test(test_libyaml_reads_the_values),
		cmocka_unit_test(test_libyaml_reads_the_values_of_a_block),
		cmocka_unit_test(test_samples_are_checked),
		cmocka_unit_test(test_outputs_are_checked),
		cmocka_unit_test(test_script_that_is_wrong_is_refused),
	};

	return cmocka_run_group_tests_name("template-check", tests, NULL, NULL);
}
