/* SPDX-License-Identifier: Apache-2.0 */
/* The language of templates, its mistakes, schemas and values. */
#include "test/unit/test-template.h"
#include "firstboot/model/template-parts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_renders(const char *text, const char *want)
{
	_cleanup_free_ char *got = template_test_render(text, TEMPLATE_PLAIN, "X");

	assert_string_equal(got, want);
}

static void test_values_are_filled_in(void **state _unused_)
{
	assert_renders("", "");
	assert_renders("no tag", "no tag");
	assert_renders("{{x}}", "X");
	assert_renders("a {{ x }}{{\thost.vlan }} b", "a X7 b");
	assert_renders("{{\"{{\"}}x}} {{ \"a}}\"}} }}", "{{x}} a}} }}");
	assert_renders("{ {{x}} } {x} }}", "{ X } {x} }}");
	assert_renders("a{{! {{x }}b", "ab");
}

static void test_sections_depend_on_values(void **state _unused_)
{
	assert_renders("{{#x}}given {{x}}{{/x}}{{^x}}missing{{/x}}", "given X");
	assert_renders("{{#y}}given {{y}}{{/y}}{{^y}}missing{{/y}}", "missing");
	assert_renders("{{#host.dhcp}}on{{/host.dhcp}}{{^host.dhcp}}off{{/host.dhcp}}",
		       "on");
	assert_renders(
		"{{#host.mtu}}{{host.mtu}}{{/host.mtu}}{{^host.mtu}}-{{/host.mtu}}", "-");
	assert_renders("{{^hosts}}none{{/hosts}}{{^host.dns}}none{{/host.dns}}.", ".");
}

static void test_lists_are_looped_over(void **state _unused_)
{
	assert_renders("{{#host.dns}}{{.}}{{^last}}, {{/last}}{{/host.dns}}",
		       "10.0.0.2, 10.0.0.3");
	assert_renders("{{#host.dns}}{{#first}}[{{/first}}{{^first}};{{/first}}{{.}}"
		       "{{#last}}]{{/last}}{{/host.dns}}",
		       "[10.0.0.2;10.0.0.3]");
	assert_renders(
		"{{#hosts}}{{name}}:{{port}}{{#address}}@{{address}}{{/address}} {{x}}"
		"{{#master}}!{{/master}};{{/hosts}}",
		"m:80@10.0.0.1 X!;n:81 X;");
	assert_renders("{{#hosts}}{{name}}({{#roles}}{{name}}{{.}}{{^last}},{{/last}}"
		       "{{/roles}}{{^roles}}none{{/roles}}){{^last}} {{/last}}{{/hosts}}",
		       "m(ma,mb) n(none)");
	assert_renders("{{#hosts}}{{#hosts}}{{name}}{{/hosts}}.{{/hosts}}", "mn.mn.");
}

static void test_lines_of_one_section_tag_are_left_out(void **state _unused_)
{
	assert_renders("a\n{{#x}}\nb\n{{/x}}\nc\n", "a\nb\nc\n");
	assert_renders("  {{#x}}\t\n  b\n\t{{/x}}", "  b\n");
	assert_renders("{{! c }}\na\n {{! c }} \nb", "a\nb");
	assert_renders("{{#x}}\r\nb\r\n{{/x}}\r\n", "b\r\n");
	assert_renders("{{#x}} b\n{{/x}}\n", " b\n");
	assert_renders("a {{#x}}\nb {{/x}}\nc\n", "a \nb \nc\n");
	assert_renders("{{#x}}{{/x}}\na\n", "\na\n");
	assert_renders("{{x}}\n", "X\n");
	assert_renders("{{\"{{\"}}\n", "{{\n");
	assert_renders("{{#hosts}}\n{{^first}}\n--\n{{/first}}\n{{name}}\n{{/hosts}}\n",
		       "m\n--\nn\n");
}

/* A text, and all that is complained about, one a line. */
static const struct {
	const char *text, *want;
} mistakes[] = {
	{"{{host.gatewax}}",
	 "t:1: unknown value {{host.gatewax}} (did you mean {{host.gateway}}?)"},
	{"\n{{#zzzzzzzzzzzz}}{{name}}{{/zzzzzzzzzzzz}}",
	 "t:2: unknown value {{zzzzzzzzzzzz}}"},
	{"{{#hosts}}{{addresx}}{{/hosts}}",
	 "t:1: unknown value {{addresx}} (did you mean {{address}}?)"},
	{"{{name}}", "t:1: {{name}} is known only within {{#hosts}}...{{/hosts}}"},
	{"{{.}}{{#hosts}}{{.}}{{/hosts}}",
	 "t:1: {{.}} is known only in a loop over a list of texts\n"
	 "t:1: {{.}} is known only in a loop over a list of texts"},
	{"{{#first}}{{/first}}", "t:1: {{first}} is known only in a loop over a list"},
	{"{{#host.dns}}{{#.}}{{/.}}{{/host.dns}}",
	 "t:1: {{.}} is always given: it has no section"},
	{"{{host.dhcp}}", "t:1: {{host.dhcp}} is a flag: write "
			  "{{#host.dhcp}}...{{/host.dhcp}}"},
	{"{{host.dns}}",
	 "t:1: {{host.dns}} is a list: write {{#host.dns}}...{{/host.dns}}"},
	{"{{hosts}}", "t:1: {{hosts}} is a list: write {{#hosts}}...{{/hosts}}"},
	{"{{host.gateway}}\n{{#host.mtu}}\n{{host.gateway}}\n{{/host.mtu}}\n"
	 "{{^host.gateway}}{{host.gateway}}{{/host.gateway}}",
	 "t:1: {{host.gateway}} may be missing: put it into "
	 "{{#host.gateway}}...{{/host.gateway}}\n"
	 "t:3: {{host.gateway}} may be missing: put it into "
	 "{{#host.gateway}}...{{/host.gateway}}\n"
	 "t:5: {{host.gateway}} may be missing: put it into "
	 "{{#host.gateway}}...{{/host.gateway}}"},
	{"{{{x}}}", "t:1: {{{ is refused, because the format says how values are "
		    "escaped: put a blank between "
		    "'{' and '{{'"},
	{"{{&x}}", "t:1: {{& is refused, because the format says how values are escaped: "
		   "write {{name}}"},
	{"{{>x}}", "t:1: {{> is refused: a template includes no other"},
	{"{{=<% %>=}}", "t:1: {{= is refused: tags are always between {{ and }}"},
	{"{{}}{{# }}{{/ }}", "t:1: a tag has no name\nt:1: a tag has no name"},
	{"{{a-b}}{{.x}}{{x..y}}", "t:1: 'a-b' is no name of a value: use letters, digits "
				  "and '_', with dots in between, "
				  "at most 64\n"
				  "t:1: '.x' is no name of a value: use letters, digits "
				  "and '_', with dots in between, "
				  "at most 64\n"
				  "t:1: 'x..y' is no name of a value: use letters, "
				  "digits and '_', with dots in between, "
				  "at most 64"},
	{"a {{x\n}}",
	 "t:1: {{ without }} in the same line: write {{\"{{\"}} for a {{ that is "
	 "no tag"},
	{"{{\"{{}}",
	 "t:1: {{ without }} in the same line: write {{\"{{\"}} for a {{ that is "
	 "no tag"},
	{"\n{{#x}}\n{{^y}}", "t:3: {{^y}} is not closed: {{/y}} is missing\n"
			     "t:2: {{#x}} is not closed: {{/x}} is missing"},
	{"{{#x}}\n{{/x}}\n{{/x}}", "t:3: {{/x}} closes no section: {{#x}} is missing"},
	{"{{/y}}{{foo}}", "t:1: {{/y}} closes no section: {{#y}} is missing\n"
			  "t:1: unknown value {{foo}}"},
	{"{{#x}}\n{{#hosts}}\n{{/x}}\n{{/hosts}}",
	 "t:3: {{/x}} before {{/hosts}}, whose {{#hosts}} is in line 2"},
	{"\n\xff", "t:2: is not UTF-8"},
	{"\n\n\xef\xbb\xbf", "t:3: has a byte order mark"},
};

static void test_mistakes_are_explained(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		_cleanup_template_ struct template *t = NULL;
		_cleanup_free_ char *got =
			template_test_compile(&t, mistakes[i].text, TEMPLATE_PLAIN);

		if (!got)
			fail_msg("'%s' has no mistake", mistakes[i].text);
		assert_string_equal(got, mistakes[i].want);
		assert_null(t);
	}
}

static void assert_limit(char *text, const char *want)
{
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *got = template_test_compile(&t, text, TEMPLATE_PLAIN);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(text);
}

/* Returns `n` times `begin`, and `n` times `end`. */
static char *repeated(const char *begin, size_t n, const char *end)
{
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		buf_puts(&b, begin);
	for (size_t i = 0; i < n; i++)
		buf_puts(&b, end);
	return buf_take(&b);
}

static void test_limits_are_told(void **state _unused_)
{
	assert_limit(repeated("x", TEMPLATE_MAX, ""), NULL);
	assert_limit(repeated("x", TEMPLATE_MAX + 1, ""), "t: is larger than 64 KiB");
	assert_limit(repeated("{{#x}}", 8, "{{/x}}"), NULL);
	assert_limit(repeated("{{#x}}", 10, "{{/x}}"),
		     "t:1: {{#x}}: at most 8 sections can be within each other\n"
		     "t:1: {{#x}}: at most 8 sections can be within each other");
	assert_limit(repeated("{{#hosts}}", 3, "{{/hosts}}"), NULL);
	assert_limit(repeated("{{#hosts}}", 4, "{{/hosts}}"),
		     "t:1: {{#hosts}}: at most 3 loops can be within each other");
	assert_limit(repeated("{{x}}", 4096, ""), NULL);
	assert_limit(repeated("{{x}}", 4097, ""),
		     "t:1: has more than 4096 tags and texts between them");
}

static void test_nul_byte_is_refused(void **state _unused_)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_diag_ struct diag d = {0};

	assert_int_equal(template_compile(&t, "a\nb\0c", 5, "t", TEMPLATE_PLAIN, s, &d),
			 -1);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.lines[0], "t:2: has a NUL byte");
}

/* Renders a template with `n` hosts. Returns the error, or NULL. */
static char *render_hosts(const char *text, size_t n)
{
	_cleanup_template_values_ struct template_values *v = template_values_new();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *wrong = template_test_compile(&t, text, TEMPLATE_PLAIN);
	_cleanup_free_ char *out = NULL;
	struct err e = {0};

	assert_null(wrong);
	for (size_t i = 0; i < n; i++)
		template_test_host(v, "h", NULL, 1, false);
	template_values_text(v, "x", "X");
	return template_render(t, v, &out, &e) < 0 ? xstrdup(e.msg) : NULL;
}

static void test_output_has_limits(void **state _unused_)
{
	_cleanup_free_ char *row = repeated("0123456789", 100, "");
	_cleanup_free_ char *text = xasprintf("{{#hosts}}\n%s\n{{/hosts}}", row);
	_cleanup_free_ char *good = render_hosts(text, 1000),
			    *large = render_hosts(text, 1050);
	_cleanup_free_ char *slow = render_hosts("{{#hosts}}{{#hosts}}{{#hosts}}{{#y}}{{/"
						 "y}}{{/hosts}}{{/hosts}}{{/hosts}}",
						 200);

	assert_null(good);
	assert_string_equal(large, "t:2: makes more than 1 MiB");
	assert_string_equal(slow,
			    "t:1: its loops have too many rounds: at most 1048576 tags");
}

static void test_value_that_is_not_given_is_an_error(void **state _unused_)
{
	_cleanup_free_ char *got = template_test_render("\n{{x}}", TEMPLATE_PLAIN, NULL);

	assert_string_equal(got, "t:2: the value of {{x}} is not given: give it, or put "
				 "{{x}} into {{#x}}...{{/x}}");
}

static void test_value_that_cannot_be_written_is_an_error(void **state _unused_)
{
	static const struct {
		const char *x, *want;
	} cases[] = {
		{"a\nb", "t:2: the value of {{x}} has a newline: 'a b'"},
		{"a\x1b[31m",
		 "t:2: the value of {{x}} has a control character: 'a?[31m'"},
		{"\x7f", "t:2: the value of {{x}} has a control character: '?'"},
		{"\xc2\x85", "t:2: the value of {{x}} has a control character: '\?\?'"},
		{"\xe2\x80\xa8",
		 "t:2: the value of {{x}} has a control character: '\?\?\?'"},
		{"a\xff", "t:2: the value of {{x}} is not UTF-8: 'a?'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got =
			template_test_render("\n{{x}}", TEMPLATE_PLAIN, cases[i].x);

		assert_string_equal(got, cases[i].want);
	}
}

static void test_value_of_another_kind_is_an_error(void **state _unused_)
{
	_cleanup_template_values_ struct template_values *v = template_values_new();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *wrong = template_test_compile(&t, "{{x}}", TEMPLATE_PLAIN);
	_cleanup_free_ char *out = NULL;
	struct err e = {0};

	assert_null(wrong);
	template_values_number(v, "x", 1);
	assert_int_equal(template_render(t, v, &out, &e), -1);
	assert_string_equal(e.msg,
			    "t:1: the value of {{x}} is of another kind than its schema");
	template_values_text(v, "x", "now a text");
	assert_int_equal(template_render(t, v, &out, &e), 0);
	assert_string_equal(out, "now a text");
}

static void test_schema_grows_by_names(void **state _unused_)
{
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_diag_ struct diag d = {0};
	static const char text[] = "{{#hosts}}{{cbr0.ip}}{{/hosts}}{{host.cbr0}}";

	assert_int_equal(template_schema_add(s, &(struct template_key){.name = "x"}),
			 -EEXIST);
	assert_int_equal(template_schema_add(s, &(struct template_key){.name = "last"}),
			 -EINVAL);
	assert_int_equal(template_schema_add(s, &(struct template_key){.name = "a-b"}),
			 -EINVAL);
	assert_int_equal(
		template_schema_add(s, &(struct template_key){.name = "host.cbr0"}), 0);
	assert_int_equal(template_schema_add(template_schema_find(s, "hosts")->members,
					     &(struct template_key){.name = "cbr0.ip"}),
			 0);
	assert_int_equal(
		template_compile(&t, text, strlen(text), "t", TEMPLATE_PLAIN, s, &d), 0);
}

static void test_members_hide_names_further_outward(void **state _unused_)
{
	static const struct template_key members[] = {{.name = "y", .optional = true},
						      {.name = NULL}};
	static const struct template_key keys[] = {
		{.name = "y", .optional = true},
		{.name = "l", .kind = TEMPLATE_GROUPS, .members = members},
		{.name = NULL},
	};
	static const char wrong[] = "{{#y}}{{#l}}{{y}}{{/l}}{{/y}}",
			  right[] = "{{#l}}{{#y}}{{y}}{{/y}}{{/l}}";
	_cleanup_template_schema_ struct template_schema *s = template_schema_new();
	_cleanup_template_values_ struct template_values *v = template_values_new();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *out = NULL;
	_cleanup_diag_ struct diag d = {0};

	template_schema_add_table(s, keys);
	assert_int_equal(
		template_compile(&t, wrong, strlen(wrong), "t", TEMPLATE_PLAIN, s, &d),
		-1);
	assert_string_equal(d.lines[0],
			    "t:1: {{y}} may be missing: put it into {{#y}}...{{/y}}");
	assert_int_equal(
		template_compile(&t, right, strlen(right), "t", TEMPLATE_PLAIN, s, &d),
		0);
	template_values_text(v, "y", "outer");
	template_values_text(template_values_group(v, "l"), "y", "inner");
	template_values_group(v, "l");
	assert_int_equal(template_render(t, v, &out, NULL), 0);
	assert_string_equal(out, "inner");
}

static void test_use_of_a_name_is_known(void **state _unused_)
{
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *wrong = template_test_compile(
		&t, "{{#hosts}}{{name}}{{#y}}{{/y}}{{/hosts}}", TEMPLATE_PLAIN);

	assert_null(wrong);
	assert_true(template_uses_below(t, "hosts"));
	assert_true(template_uses_below(t, "y"));
	assert_false(template_uses_below(t, "name"));
	assert_false(template_uses_below(t, "x"));
}

static void test_formats_have_names(void **state _unused_)
{
	_cleanup_free_ char *all = str_list(template_format_name, "or");
	enum template_format f = TEMPLATE_PLAIN;

	assert_string_equal(all, "plain, environment, ini, shell, json or yaml");
	assert_int_equal(template_format_parse("yaml", &f), 0);
	assert_int_equal(f, TEMPLATE_YAML);
	assert_int_equal(template_format_parse("toml", &f), -EINVAL);
}

static void test_samples_fill_the_schema(void **state _unused_)
{
	static const char text[] = "{{host.name}} {{#y}}{{y}}{{/y}} {{host.vlan}} "
				   "{{#host.dhcp}}on{{/host.dhcp}} "
				   "{{#host.dns}}{{.}};{{/host.dns}} "
				   "{{#hosts}}{{name}}{{#address}}={{address}}{{/"
				   "address}}:{{port}} {{/hosts}}";
	static const char *const want[] = {
		[TEMPLATE_SAMPLE_THREE] =
			"host_name y 10 on host_dns;host_dns2;host_dns3; "
			"name=10.0.0.1:10 name2=10.0.0.12:11 name3=10.0.0.13:12 ",
		[TEMPLATE_SAMPLE_ONE] = "host_name y 10 on host_dns; name=10.0.0.1:10 ",
		[TEMPLATE_SAMPLE_EMPTY] = "host_name y 10 on  ",
		[TEMPLATE_SAMPLE_SPARSE] = "host_name  10  host_dns;host_dns2;host_dns3; "
					   "name:10 name2:11 name3:12 ",
		[TEMPLATE_SAMPLE_NONE] = "host_name  10   ",
	};
	_cleanup_template_schema_ struct template_schema *s = template_test_schema();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *wrong = template_test_compile(&t, text, TEMPLATE_PLAIN);

	assert_null(wrong);
	for (int i = 0; i < TEMPLATE_SAMPLES; i++) {
		_cleanup_template_values_ struct template_values *v =
			template_values_sample(s, (enum template_sample)i);
		_cleanup_free_ char *out = NULL;

		assert_int_equal(template_render(t, v, &out, NULL), 0);
		assert_string_equal(out, want[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_filled_in),
		cmocka_unit_test(test_sections_depend_on_values),
		cmocka_unit_test(test_lists_are_looped_over),
		cmocka_unit_test(test_lines_of_one_section_tag_are_left_out),
		cmocka_unit_test(test_mistakes_are_explained),
		cmocka_unit_test(test_limits_are_told),
		cmocka_unit_test(test_nul_byte_is_refused),
		cmocka_unit_test(test_output_has_limits),
		cmocka_unit_test(test_value_that_is_not_given_is_an_error),
		cmocka_unit_test(test_value_that_cannot_be_written_is_an_error),
		cmocka_unit_test(test_value_of_another_kind_is_an_error),
		cmocka_unit_test(test_schema_grows_by_names),
		cmocka_unit_test(test_members_hide_names_further_outward),
		cmocka_unit_test(test_use_of_a_name_is_known),
		cmocka_unit_test(test_formats_have_names),
		cmocka_unit_test(test_samples_fill_the_schema),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
