/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of templates: how values are escaped at each place, and what is refused. */
#include "test/unit/test-template.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A template, the value of {{x}}, and the output or the error. */
struct format_case {
	const char *text, *x, *want;
};

static void check_cases(enum template_format format, const struct format_case *cases,
			size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *got =
			template_test_render(cases[i].text, format, cases[i].x);

		if (!streq(got, cases[i].want))
			fail_msg("%s: '%s' with '%s':\n%s\ninstead of:\n%s",
				 template_format_name(format), cases[i].text, cases[i].x,
				 got, cases[i].want);
	}
}

#define SIGN                                                                             \
	"t:1: a blank or a sign of the shell is outside of quotes: put the value into "  \
	"double quotes"
#define VALUE(line) "t:" line ": the value of {{x}} "

static void test_environment(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"A={{x}}\n", "abc", "A=abc\n"},
		{"A={{x}}", "", "A="},
		{"A={{x}}\n", "a b", "A=\"a b\"\n"},
		{"A={{x}}\n", "a$b`\"\\", "A=\"a\\$b\\`\\\"\\\\\"\n"},
		{"A={{x}}\n", "it's", "A=\"it's\"\n"},
		{"A={{x}}\n", "\xc3\xa4=%", "A=\xc3\xa4=%\n"},
		{"A={{x}}b\n", "a b'c", "A=a\\ b\\'cb\n"},
		{"A=b{{x}}\n", "~$(id);", "A=b\\~\\$\\(id\\)\\;\n"},
		{"A={{x}}{{x}}\n", "*", "A=\\*\\*\n"},
		{"A=\"b {{x}}\"\n", "$`\"\\ c", "A=\"b \\$\\`\\\"\\\\ c\"\n"},
		{"A=\"b\"{{x}}\n", "c d", "A=\"b\"c\\ d\n"},
		{"A='b {{x}}'\n", "c $d", "A='b c $d'\n"},
		{"A='{{x}}'\n", "it's",
		 VALUE("1") "has a single quote or a backslash: use double quotes around "
			    "the "
			    "tag: 'it's'"},
		{"# {{x}}\n  # {{x}}\n", "$a", "# $a\n  # $a\n"},
		{"; {{x}}\n", "",
		 "t:1: a ';' begins a comment only for systemd: write '#'"},
		{"# {{x}}\n", "a\\",
		 VALUE("1") "has a backslash, which may not be in a comment: 'a\\'"},
		{"A={{x}}\n", "a\nB=c", VALUE("1") "has a newline: 'a B=c'"},
		{"A=\"{{x}}\"\n", "\t", VALUE("1") "has a control character: ' '"},
		{"{{x}}=1\nB_{{x}}=2\n", "a_1", "a_1=1\nB_a_1=2\n"},
		{"{{x}}=1\n", "1a",
		 VALUE("1") "is no name of a variable: it must begin with a letter or "
			    "'_': '1a'"},
		{"A{{x}}=1\n", "-",
		 VALUE("1") "is no name of a variable: it may have letters, digits and "
			    "'_': '-'"},
		{"A=a\\\nb{{x}}\n", "c d", "A=a\\\nbc\\ d\n"},
		{"A={{#host.dns}}{{.}}{{^last}},{{/last}}{{/host.dns}}\n", "",
		 "A=10.0.0.2,10.0.0.3\n"},
		{"{{#hosts}}{{#first}}A={{/first}}{{^first}}A=b{{/first}}{{name}}\n{{/"
		 "hosts}}",
		 "", "A=m\nA=bn\n"},
		{"{{#hosts}}A={{#first}}\"{{/first}}{{name}}{{#first}}\"{{/first}}\n{{/"
		 "hosts}}",
		 "",
		 "t:1: {{name}} is in quotes in some rounds of a loop and not in others"},
		{"A={{#y}}{{y}}{{/y}}{{^y}}\"{{x}} {{/y}}\"\n", "",
		 "t:1: {{#y}} otherwise ends inside of double quotes and ends outside of "
		 "quotes"},
		{"A={{#x}}\"{{/x}}a\n", "",
		 "t:1: {{#x}} begins outside of quotes and ends inside of double quotes"},
		{"{{#hosts}}A='{{/hosts}}\n", "",
		 "t:1: {{#hosts}} begins inside of single quotes and ends outside of "
		 "quotes"},
		{"{{#x}}# {{/x}}A=1\n", "",
		 "t:1: {{#x}} begins at the beginning of a line and ends in a comment"},
		{"A=\\{{x}}\n", "", "t:1: {{x}} follows a backslash"},
		{"A=\"a\n", "", "t: ends inside of double quotes"},
		{"1A=1\n", "", "t:1: the name of a variable begins with a digit"},
		{"{{#y}}A{{/y}}1=1\n", "",
		 "t:1: the name of a variable begins with a digit"},
		{"{{#y}}A{{/y}}=1\n", "",
		 "t:1: a name is empty if a section before the '=' is left out"},
		{"{{#y}}A{{/y}}B1=1\n", "", "B1=1\n"},
		{"{{#y}}A{{/y}}{{x}}=1\n", "b", "b=1\n"},
		{"{{#y}}A{{/y}}{{x}}=1\n", "1",
		 VALUE("1") "is no name of a variable: it must begin with a letter or "
			    "'_': '1'"},
		{"A=~/b\n", "", SIGN},
		{"A=b:~/c\n", "", SIGN},
		{"A=\"~/b\"\nB='b:~/c'\nC=\\~\n", "", "A=\"~/b\"\nB='b:~/c'\nC=\\~\n"},
		{"A B=1\n", "", "t:1: a line is neither a comment nor NAME=VALUE"},
		{"A=a b\n", "", SIGN},
		{"\nA=\"$(id)\"\n", "",
		 "t:2: '$' or '`' is not a text to a shell: put a backslash before it"},
		{"A=a\"b\"\n", "",
		 "t:1: a quotation mark is within a value: systemd reads it only at the "
		 "beginning"},
		{"A='\\'\n", "",
		 "t:1: a backslash is in single quotes: versions of systemd differ about "
		 "it"},
		{"A=\"\\n\"\n", "",
		 "t:1: a backslash in double quotes is not before \", \\, $ or `: "
		 "versions of "
		 "systemd differ about it"},
		{"# a\\\nA={{x}}\n", "",
		 "t:1: a comment ends in a backslash: systemd takes the next line for a "
		 "part of "
		 "it"},
		{"A=1\r\n", "", "t:1: has a carriage return: end lines with a newline"},
		{"A=\x01\n", "", "t:1: has a control character"},
	};

	check_cases(TEMPLATE_ENVIRONMENT, cases, ARRAY_SIZE(cases));
}

#define BESIDE                                                                           \
	VALUE("1")                                                                       \
	"has a blank, quotation mark, backslash, '#', ';' or '$', which may not be "     \
	"beside other text: let the tag be the whole value: "

static void test_ini(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"[a {{x}}]\nb.{{x}} = {{x}}\n{{x}}=1\n", "a-b_c.d:e@f",
		 "[a a-b_c.d:e@f]\nb.a-b_c.d:e@f = a-b_c.d:e@f\na-b_c.d:e@f=1\n"},
		{"A={{x}}\n", "a \"b\" c\\d;#e", "A=a \"b\" c\\d;#e\n"},
		{"A={{x}}\n", "", "A=\n"},
		{"A={{x}}\n", "a ", VALUE("1") "begins or ends with a blank: 'a '"},
		{"A={{x}}\n", "#a",
		 VALUE("1") "begins with a sign of a comment or a quotation mark: '#a'"},
		{"A={{x}}\n", "a\\", VALUE("1") "ends in a backslash: 'a\\'"},
		{"A={{x}}\n", "%h",
		 VALUE("1") "has a '%', which begins a specifier of systemd: "
			    "'%h'"},
		{"A={{x}}\n", "a\n[b]", VALUE("1") "has a newline: 'a [b]'"},
		{"A=b {{x}}\n", "c=d", "A=b c=d\n"},
		{"A={{x}}b\n", "c d", BESIDE "'c d'"},
		{"ExecStart=/b --c={{x}}\n", "$HOME${X}", BESIDE "'$HOME${X}'"},
		{"A={{x}}\n", "$HOME", "A=$HOME\n"},
		{"{{x}}=1\n", "", VALUE("1") "is empty, which a name cannot be: ''"},
		{"[{{x}}]\n", "a]",
		 VALUE("1") "is no name: it may have letters, digits, '-', '_', '.', ':' "
			    "and "
			    "'@': 'a]'"},
		{"# {{x}}\n", "a ] =", "# a ] =\n"},
		{"; {{x}}\n", "a\\",
		 VALUE("1") "has a backslash, which may not be in a comment: 'a\\'"},
		{"A=b \\\n  {{x}}\n", "c", "A=b \\\n  c\n"},
		{"{{#hosts}}\nN={{name}} P={{port}}\n{{/hosts}}\n", "",
		 "N=m P=80\nN=n P=81\n"},
		{"[a] {{x}}\n", "", "t:1: {{x}} is behind the head of a section"},
		{"A=\\{{x}}\n", "", "t:1: {{x}} follows a backslash"},
		{"[a\n", "", "t:1: the head of a section has no ']'"},
		{"[a] b\n", "", "t:1: text follows the head of a section"},
		{"a#b=1\n", "", "t:1: a key has a '#', ';', '[' or backslash in it"},
		{"# a\\\n", "",
		 "t:1: a comment ends in a backslash: systemd 219 takes the next line "
		 "for a part "
		 "of it"},
		{"{{#x}}A={{/x}}b\n", "",
		 "t:1: {{#x}} begins at the beginning of a line and ends in a value"},
	};

	check_cases(TEMPLATE_INI, cases, ARRAY_SIZE(cases));
}

#define LOST                                                                             \
	"t:2: {{x}} is behind a here-document, or behind quotes within $(...), ${...} "  \
	"or `...`: set a variable from it above that, and use the variable"
#define WITHIN                                                                           \
	" is within $(...), ${...} or `...`: set a variable from it above that, and "    \
	"use the variable"
#define VARIABLE                                                                         \
	"t:1: {{x}} follows the name of a variable, and would be a part of it: write "   \
	"${NAME} in place of $NAME"
#define DOLLAR "t:1: {{x}} follows a '$', '<' or '(': put a blank between"

static void test_shell(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"a {{x}} {{host.vlan}}\n", "b", "a 'b' '7'\n"},
		{"a {{x}}\n", "", "a ''\n"},
		{"a {{x}}b\n", "it's $HOME\n", "a 'it'\\''s $HOME\n'b\n"},
		{"a \"{{x}}\"\n", "$(id) `\"\\ '", "a \"\\$(id) \\`\\\"\\\\ '\"\n"},
		{"a '{{x}}'\n", "it's $x", "a 'it'\\''s $x'\n"},
		{"a # it's {{x}}\n", "$(id) '", "a # it's $(id) '\n"},
		{"a # {{x}}\n", "b\nid", VALUE("1") "has a newline: 'b id'"},
		{"a#{{x}} '# {{x}}' \"#\" {{x}}\n", "b c",
		 "a#'b c' '# b c' \"#\" 'b c'\n"},
		{"a=$(b $c (d)) {{x}}\n", "e f", "a=$(b $c (d)) 'e f'\n"},
		{"\"$(b)${c#d}`e $f` {{x}}\"\n", "\"", "\"$(b)${c#d}`e $f` \\\"\"\n"},
		{"$((1 + (2))) {{x}}\n", "'", "$((1 + (2))) ''\\'''\n"},
		{"a ${b%(} # c } {{x}}\n", "d\nid #",
		 VALUE("1") "has a newline: 'd id #'"},
		{"a ${b%(} {{x}}\n", "c d", "a ${b%(} 'c d'\n"},
		{"a \\\n# {{x}}\n", "b", "a \\\n# b\n"},
		{"a\\\n#{{x}}\n", "b", "a\\\n#'b'\n"},
		{"\\$(a \\\" \\# \\' {{x}}\n", " ", "\\$(a \\\" \\# \\' ' '\n"},
		{"case a in a) b ;; esac\n{{x}}\n", "c", "case a in a) b ;; esac\n'c'\n"},
		{"a=b{{x}}>c {{x}} >\"{{x}}\">d\n", "5", "a=b'5'>c '5' >\"5\">d\n"},
		{"a {{x}}>b 1{{x}}>c {{x}}6<d\n", "5", "a '5'>b 1'5'>c '5'6<d\n"},
		{"a {{x}}\\\n>b\n", "5", "a '5'\\\n>b\n"},
		{"{{x}} a; f{{x}}\n", "i", "'i' a; f'i'\n"},
		{"{{x}} a\n", "PATH=/b", "'PATH=/b' a\n"},
		{"case a in [{{x}}]) b{{x}} ;; esac\n", "a-z",
		 "case a in ['a-z']) b'a-z' ;; esac\n"},
		{"{{x}}=1 {{x}}_B=2 A_{{x}}=3\n", "C4", "C4=1 C4_B=2 A_C4=3\n"},
		{"{{x}}=1 A{{x}}=2 A{{x}}B\n", "", "''=1 A''=2 A''B\n"},
		{"{{x}}=1 A{{x}}=2\n", "b c", "'b c'=1 A'b c'=2\n"},
		{"A={{x}}=1 -{{x}}=1 $A{{x}}=1 \\A{{x}}=1\n", "B",
		 "A='B'=1 -'B'=1 $A'B'=1 \\A'B'=1\n"},
		{"{{#x}}$A{{/x}}{{x}}=1 {{#x}}A{{/x}}{{x}}=1\n", "B", "$A'B'=1 AB=1\n"},
		{"{{#host.dns}}{{.}}={{/host.dns}}\n", "", "'10.0.0.2'='10.0.0.3'=\n"},
		{"\"$1{{x}} ${A}{{x}} $(a){{x}} \\$A{{x}}\" '$A{{x}}' # $A{{x}}\n", "B",
		 "\"$1B ${A}B $(a)B \\$AB\" '$AB' # $AB\n"},
		{"\"$A{{x}}\"\n", "", VARIABLE},
		{"\"$A\\\n_1{{#x}}{{x}}{{/x}}\"\n", "",
		 "t:2: {{x}} follows the name of a variable, and would be a part of it: "
		 "write ${NAME} in place of $NAME"},
		{"\"{{#y}}$A{{/y}}{{x}}\"\n", "", VARIABLE},
		{"{{#host.dns}}{{.}} {{/host.dns}}# {{x}}\n", "a",
		 "'10.0.0.2' '10.0.0.3' # a\n"},
		{"$(a {{x}})\n", "", "t:1: {{x}}" WITHIN},
		{"\"${a:-{{x}}}\"\n", "", "t:1: {{x}}" WITHIN},
		{"`{{x}}`\n", "", "t:1: {{x}}" WITHIN},
		{"$(a{{#x}}b{{/x}})\n", "", "t:1: {{#x}}" WITHIN},
		{"cat <<EOF\n{{x}}\nEOF\n", "", LOST},
		{"cat <\\\n<EOF {{x}}\nEOF\n", "", LOST},
		{"a $\\\n'b' {{x}}\n", "", LOST},
		{"a=\"$\\\n(b {{x}})\"\n", "", "t:2: {{x}}" WITHIN},
		{"a=$\\\n{b{{x}}}\n", "", "t:2: {{x}}" WITHIN},
		{"a \"$\\\n{{x}}\"\n", "",
		 "t:2: {{x}} follows a '$', '<' or '(': put a blank between"},
		{"$(a \"b\")\n{{x}}\n", "", LOST},
		{"$(case a in a) b;; esac)\n{{x}}\n", "", LOST},
		{"${a#'b'}\n{{x}}\n", "", LOST},
		{"`a \\`b\\``\n{{x}}\n", "", LOST},
		{"$'a\\'b'\n{{x}}\n", "", LOST},
		{"((a[b]))\n{{x}}\n", "", LOST},
		{"{{#y}}a<{{/y}}<a\n{{x}}\n", "",
		 "t:1: {{/y}} follows a '$', '<' or '(': put a "
		 "blank between"},
		{"{{#y}}<<a{{/y}}\n{{x}}\n", "", LOST},
		{"${{x}}\n", "", DOLLAR},
		{"a \"${{x}}\"\n", "", DOLLAR},
		{"a \\{{x}}\n", "", "t:1: {{x}} follows a backslash"},
		{"a{{#x}} {{/x}}#{{x}}\n", "",
		 "t:1: '#' begins a comment only if a section before it is left out or "
		 "not: put "
		 "a blank before it"},
		{"a {{#x}}'{{/x}}\n", "",
		 "t:1: {{#x}} begins outside of quotes and ends inside of single quotes"},
		{"{{#hosts}}a \"{{^last}}\"{{/last}}{{/hosts}}\n", "",
		 "t:1: {{#hosts}} begins outside of quotes and ends inside of double "
		 "quotes"},
		{"a \"b\n", "", "t: ends inside of double quotes"},
	};

	check_cases(TEMPLATE_SHELL, cases, ARRAY_SIZE(cases));
}

static void test_json(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"{{x}}", "a", "\"a\""},
		{"[{{x}}, {{host.vlan}}, {{host.dhcp}}]", "", "[\"\", 7, true]"},
		{"\"b{{x}} {{host.vlan}}{{host.dhcp}}\"", "a\"\\/\b\f\n\r\t\x01\x7f",
		 "\"ba\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f 7true\""},
		{"{{x}}", "\xc3\xa4\xf0\x9f\x98\x80\xe2\x80\xa8\xc2\x85\xef\xbb\xbf",
		 "\"\xc3\xa4\xf0\x9f\x98\x80\\u2028\\u0085\\ufeff\""},
		{"{{{x}}: 1}", "a",
		 "t:1: {{{ is refused, because the format says how values are escaped: "
		 "put a "
		 "blank between '{' and '{{'"},
		{"{ {{x}}: 1}", "a", "{ \"a\": 1}"},
		{"[{{#hosts}}{{master}}, {{last}}{{^last}},{{/last}}{{/hosts}}]", "",
		 "[true, false,false, true]"},
		{"{{#x}}\"{{/x}}", "",
		 "t:1: {{#x}} begins outside of quotes and ends inside of double quotes"},
		{"\"{{#y}}\"a{{/y}}\"", "",
		 "t:1: {{#y}} begins inside of double quotes and ends outside of quotes"},
		{"\"\\{{x}}\"", "", "t:1: {{x}} follows a backslash"},
		{"\"\\u00{{x}}\"", "", "t:1: {{x}} follows a backslash"},
		{"\"\\\\u00{{x}}\"", "a", "\"\\\\u00a\""},
		{"\"a\n\"", "",
		 "t:1: a string goes on in the next line: write \\n for a newline in it"},
		{"[\"a]", "", "t: ends inside of double quotes"},
		{"{{host.mtu}}", "",
		 "t:1: {{host.mtu}} may be missing: put it into "
		 "{{#host.mtu}}...{{/host.mtu}}"},
	};

	check_cases(TEMPLATE_JSON, cases, ARRAY_SIZE(cases));
}

#define QUOTE  ": put all of the scalar into quotes"
#define BEHIND "t:1: {{x}} is behind a value or a scalar in quotes" QUOTE
#define COLON  "t:1: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE
#define GOES_ON                                                                          \
	"a scalar goes on in this line: write it in one line, in quotes, or as a block " \
	"with '|'"

static void test_yaml_scalars(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"a: {{x}}\n", "b: #c\"\n", "a: \"b: #c\\\"\\n\"\n"},
		{"a: {{x}} # {{x}}\n", "b", "a: \"b\" # b\n"},
		{"a: {{host.vlan}}\nb: {{host.dhcp}}\n", "", "a: 7\nb: true\n"},
		{"- {{x}}\n- - {{x}}\n- ? {{x}}\n", "-",
		 "- \"-\"\n- - \"-\"\n- ? \"-\"\n"},
		{"[{{x}},{{x}}, {{x}} ]", ",", "[\",\",\",\", \",\" ]"},
		{"{ {{x}}: {{x}}, \"a\":{{x}}}", "}", "{ \"}\": \"}\", \"a\":\"}\"}"},
		{"{ \"b\" :{{x}}, [c]:{{x}} }", "}", "{ \"b\" :\"}\", [c]:\"}\" }"},
		{"{ {{host.vlan}}:b/{{x}}, {{host.dhcp}}: {{x}} }", "c",
		 "{ 7:b/c, true: \"c\" }"},
		{"{ {{host.vlan}}:{{x}} }", "a, b: c", COLON},
		{"{ {{host.dhcp}}:{{x}} }", "a, b: c", COLON},
		{"{ {{host.vlan}} :{{x}} }", "a, b: c", COLON},
		{"[ {{host.vlan}} :{{x}} ]", "a, b: c", COLON},
		{"[ {{host.vlan}} # b\n  :{{x}} ]", "a, b: c",
		 "t:2: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE},
		{"{ {{#y}}a{{/y}}:{{x}} }", "a, b: c", COLON},
		{"{ {{#y}}\"a\"{{/y}}:{{x}} }", "a, b: c", COLON},
		{"{ {{host.vlan}}:\"{{x}}\" }", "a, b: c",
		 VALUE("1") "has another character than A-Z a-z 0-9 _ . / -" QUOTE
			    ": 'a, b: c'"},
		{"{ {{host.vlan}} :b }", "",
		 "t:1: a colon behind a key has no blank behind it"},
		{"{{x}}: 1\n", "a: b", "\"a: b\": 1\n"},
		{"--- {{x}}\n", "a", "--- \"a\"\n"},
		{"a: &b {{x}}\nc: !!str {{x}}\n", "*", "a: &b \"*\"\nc: !!str \"*\"\n"},
		{"a: \"b {{x}}\"\n", "\"\\\n\xe2\x80\xa8",
		 "a: \"b \\\"\\\\\\n\\u2028\"\n"},
		{"a: 'b {{x}}'' {{x}}'\n", "it's", "a: 'b it''s'' it''s'\n"},
		{"a: '{{x}}'\n", "b\nc", VALUE("1") "has a newline: 'b c'"},
		{"a: '{{x}}'\n", "\xef\xbf\xbe",
		 VALUE("1") "has a character that YAML does not "
			    "allow: '\xef\xbf\xbe'"},
		{"a: http://{{x}}:80/ {{x}}\n", "b-c.d/E_9",
		 "a: http://b-c.d/E_9:80/ b-c.d/E_9\n"},
		{"a: b{{x}}\n", "c d",
		 VALUE("1") "has another character than A-Z a-z 0-9 _ . / -" QUOTE
			    ": 'c d'"},
		{"a: b{{x}}\n", "", VALUE("1") "is empty" QUOTE ": ''"},
		{"a: b{{x}} a\n", "-", VALUE("1") "begins with '-' or '.'" QUOTE ": '-'"},
		{"a: b:{{x}}\nc: d:{{x}}{{#x}}{{/x}}\n", "",
		 "t:1: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE
		 "\nt:2: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE},
		{"a: {{x}}:{{host.vlan}}\n", "b",
		 "t:1: {{host.vlan}} follows a '-', ':', '|', '>', '&' or "
		 "'!'" QUOTE},
		{"a: {{x}}/b\n", "c", "a: c/b\n"},
		{"a: {{x}}/b\n", "-c",
		 VALUE("1") "begins with '-' or '.'" QUOTE ": '-c'"},
		{"a: {{x}} b\n", "",
		 "t:1: text follows a value or a scalar in quotes: put all of the scalar "
		 "into "
		 "quotes"},
		{"a: {{host.vlan}}{{x}}\n", "", BEHIND},
		{"a: \"b\" {{x}}\n", "", BEHIND},
		{"a: 'b'{{x}}\n", "", BEHIND},
		{"a: b:{{x}}\n", "",
		 "t:1: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE},
		{"-{{x}}\n", "",
		 "t:1: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE},
		{"a: &{{x}}\n", "",
		 "t:1: {{x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE},
		{"a: \"\\x4{{x}}\"\n", "", "t:1: {{x}} follows a backslash"},
		{"a: [b\n  {{x}}]\n", "c", "a: [b\n  c]\n"},
		{"a: b\n  {{x}}\n", "", "t:2: {{x}}: " GOES_ON},
		{"a: b\n  c\n", "", "t:2: " GOES_ON},
		{"a: {{host.vlan}}\n  b\n", "", "t:2: " GOES_ON},
		{"- b\n- c\nd:\n- e\n", "", "- b\n- c\nd:\n- e\n"},
		{"- b\n  c: d\n", "", "t:2: " GOES_ON},
		{"a:\n  b\nc: d\n", "", "t:3: " GOES_ON},
		{"a: \"b\n  {{x}}\"\n", "",
		 "t:1: a scalar in quotes goes on in the next line: write \\n in double "
		 "quotes, "
		 "or a block with '|'"},
		{"a:\n\tb: 1\n", "", "t:2: a tab is in the indentation"},
		{"a: ]\n", "", "t:1: a ']' or '}' closes nothing"},
		{"a: \"b\n", "",
		 "t:1: a scalar in quotes goes on in the next line: write \\n in double "
		 "quotes, "
		 "or a block with '|'"},
	};

	check_cases(TEMPLATE_YAML, cases, ARRAY_SIZE(cases));
}

static void test_yaml_blocks(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"a: |\n  {{x}}\n  b {{x}}\nc: {{x}}\n", "d: #",
		 "a: |\n  d: #\n  b d: #\nc: "
		 "\"d: #\"\n"},
		{"- >- # c\n {{x}}\n- {{x}}\n", "d", "- >- # c\n d\n- \"d\"\n"},
		{"a: |\n  b\n\n    {{x}}\n  c\n", "\"d", "a: |\n  b\n\n    \"d\n  c\n"},
		{"- &k a: |\n   {{x}}\n", "b: c", "- &k a: |\n   b: c\n"},
		{"&k a: b\n c\n", "", "t:2: " GOES_ON},
		{"a: |\n  {{x}}\n", "",
		 VALUE("2") "is empty or begins with a blank, which would change the "
			    "indentation: ''"},
		{"a: |\n  {{x}}\n", "b\nc", VALUE("2") "has a newline: 'b c'"},
		{"a: |\n{{x}}: b\n", "c", "a: |\n\"c\": b\n"},
		{"a: |\n{{#host.dns}}\n  {{.}}\n{{/host.dns}}\nb: {{x}}\n", "|",
		 "a: |\n  10.0.0.2\n  10.0.0.3\nb: \"|\"\n"},
		{"a: |\n  b\n{{#x}}\nc: {{x}}\n{{/x}}\nd: {{x}}\n", ">",
		 "a: |\n  b\nc: \">\"\nd: \">\"\n"},
		{"a: |\n{{#y}}\n  b\n{{/y}}\n    c\n", "",
		 "t:5: a line of a block scalar is indented more than one before it that "
		 "may be "
		 "left out"},
		{"a: |\n  b\n{{#x}}\nc: {{x}}\n{{/x}}\n  d\n", "", "t:6: " GOES_ON},
		{"a: |\n    b\n  c\n", "",
		 "t:3: a line of a block scalar is indented less than its first line"},
		{"a: |2\n  b\n", "",
		 "t:1: the head of a block scalar may have '+', '-' or a "
		 "comment"},
		{"--- |\n{{x}}\n", "", "t:2: {{x}}: a block scalar is not indented"},
		{"a:\n  |\n  b\n", "",
		 "t:2: a block scalar begins a line: begin it behind its key"},
	};

	check_cases(TEMPLATE_YAML, cases, ARRAY_SIZE(cases));
}

/* A value has the rules of a scalar's beginning if one round of a loop begins it. */
static void test_yaml_rounds(void **state _unused_)
{
	static const char text[] = "a: {{#l}}{{.}}/b {{/l}}\n";
	static const struct template_key keys[] = {{.name = "l", .kind = TEMPLATE_TEXTS},
						   {.name = NULL}};
	_cleanup_template_schema_ struct template_schema *s = template_schema_new();
	_cleanup_template_values_ struct template_values *v = template_values_new();
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *out = NULL;
	char *const list[] = {(char *)"b", (char *)"-c", NULL};
	struct diag d = {0};
	struct err e;

	template_schema_add_table(s, keys);
	template_values_texts(v, "l", list);
	assert_int_equal(
		template_compile(&t, text, strlen(text), "t", TEMPLATE_YAML, s, &d), 0);
	assert_int_equal(template_render(t, v, &out, &e), -1);
	assert_string_equal(e.msg, "t:1: the value of {{.}} begins with '-' or '.'" QUOTE
				   ": '-c'");
}

static void test_yaml_sections(void **state _unused_)
{
	static const struct format_case cases[] = {
		{"a: [{{#host.dns}}{{.}}{{^last}}, {{/last}}{{/host.dns}}]\n", "",
		 "a: [\"10.0.0.2\", \"10.0.0.3\"]\n"},
		{"a: [{{#host.dns}}{{^first}}, {{/first}}{{.}}{{/host.dns}}]\n", "",
		 "a: [\"10.0.0.2\", \"10.0.0.3\"]\n"},
		{"a: {{#x}}{{x}}{{/x}}\nb: {{#y}}{{y}}{{/y}}{{^y}}none{{/y}}\n", "c",
		 "a: \"c\"\nb: none\n"},
		{"a:\n{{#hosts}}\n  - b: {{name}}\n{{#address}}\n    c: "
		 "{{address}}\n{{/address}}\n"
		 "{{/hosts}}\nd: e\n",
		 "", "a:\n  - b: \"m\"\n    c: \"10.0.0.1\"\n  - b: \"n\"\nd: e\n"},
		{"{{#y}}\na: b\n{{/y}}\n{{^y}}\na: c\n{{/y}}\nd: {{x}}\n", "e",
		 "a: c\nd: \"e\"\n"},
		{"a: b{{#x}}-{{x}}{{/x}}\n", "c", "a: b-c\n"},
		{"a: {{#hosts}}{{name}}:2380 {{/hosts}}\n", "", "a: m:2380 n:2380 \n"},
		{"a: {{#x}}b{{/x}}c\n", "",
		 "t:1: text follows a value or a scalar in quotes: put all of the scalar "
		 "into "
		 "quotes"},
		{"a: {{#x}}[{{/x}}b\n", "",
		 "t:1: {{#x}} begins outside of quotes and ends within brackets"},
		{"a: {{#x}}\"{{/x}}b\n", "",
		 "t:1: {{#x}} begins outside of quotes and ends inside of double quotes"},
		{"{{#x}}  {{/x}}a: 1\n", "",
		 "t:1: {{#x}} begins and ends at places that differ, both at the "
		 "beginning of a "
		 "line"},
		{"a:{{#x}} b{{/x}}\n", "",
		 "t:1: {{#x}} follows a '-', ':', '|', '>', '&' or '!'" QUOTE},
		{"a:\n  {{#x}}b{{/x}}: |\n  {{x}}: c\n", "|", "a:\n  b: |\n  \"|\": c\n"},
		{"a:\n- {{#x}}b{{/x}}: |\n  {{x}}: c\n", "|", "a:\n- b: |\n  \"|\": c\n"},
		{"{{#x}}\na: |\n  b\n{{/x}}\n  c: d\n", "", "t:5: " GOES_ON},
		{"a: b\n{{#x}}\nc:\n  - d\n{{/x}}\n e: f\n", "", "t:6: " GOES_ON},
		{"- |\n  {{#hosts}}{{^first}}, "
		 "{{/first}}{{name}}{{/hosts}}{{^hosts}}none{{/hosts}}\n",
		 "", "- |\n  m, n\n"},
		{"- |\n  {{#hosts}}{{name}} {{/hosts}}\n", "",
		 "t:2: {{#hosts}} begins at the beginning of a line of a block scalar "
		 "and ends in a line of a block scalar"},
		{"a: b # {{#x}}c{{/x}}\n", "", "a: b # c\n"},
	};

	check_cases(TEMPLATE_YAML, cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),  cmocka_unit_test(test_ini),
		cmocka_unit_test(test_shell),        cmocka_unit_test(test_json),
		cmocka_unit_test(test_yaml_scalars), cmocka_unit_test(test_yaml_blocks),
		cmocka_unit_test(test_yaml_rounds),  cmocka_unit_test(test_yaml_sections),
	};

	return cmocka_run_group_tests_name("template-format", tests, NULL, NULL);
}
